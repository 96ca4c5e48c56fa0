#include "files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>

#include "base/check.h"

namespace cw {
namespace {

namespace fs = std::filesystem;

// A batch larger than this is synced as a whole: one journal commit instead of thousands.
constexpr std::size_t sync_each_max = 16;

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags, mode_t mode = 0)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }

 private:
  int fd_;
};

void write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno("write " + path);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void sync_path(const std::string& path, int flags) {
  Descriptor fd(path, flags);
  if (!fd || ::fsync(fd.get()) != 0) throw_errno("fsync " + path);
}

void sync_filesystem(const std::string& folder) {
  Descriptor fd(folder, O_RDONLY | O_DIRECTORY);
  if (!fd || ::syncfs(fd.get()) != 0) throw_errno("syncfs " + folder);
}

std::string parent_of(const std::string& path) {
  std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

std::string read_all(int fd, std::size_t size, const std::string& path) {
  std::string out(size, '\0');
  std::size_t at = 0;
  while (at < size) {
    ssize_t n = ::read(fd, out.data() + at, size - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno("read " + path);
    if (n == 0) break;
    at += static_cast<std::size_t>(n);
  }
  out.resize(at);
  return out;
}

}  // namespace

void throw_errno(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

FileBatch::FileBatch(std::string folder) : folder_(std::move(folder)) {
  fs::create_directories(folder_ + "/.tmp");
}

FileBatch::~FileBatch() {
  std::error_code ignored;
  for (std::size_t i = 0; i < paths_.size(); ++i)
    fs::remove(folder_ + "/.tmp/" + std::to_string(i), ignored);
}

void FileBatch::add(const std::string& path, std::string_view bytes) {
  std::string file = folder_ + "/.tmp/" + std::to_string(paths_.size());
  paths_.push_back(path);
  Descriptor fd(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (!fd) throw_errno("open " + file);
  write_all(fd.get(), bytes, file);
  bytes_ += bytes.size();
}

void FileBatch::commit() {
  const bool whole = paths_.size() > sync_each_max;
  auto temporary = [&](std::size_t i) { return folder_ + "/.tmp/" + std::to_string(i); };
  if (whole) {
    sync_filesystem(folder_);
  } else {
    for (std::size_t i = 0; i < paths_.size(); ++i) sync_path(temporary(i), O_RDONLY);
  }
  std::set<std::string> folders, above;
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    std::string to = folder_ + "/" + paths_[i];
    std::string parent = parent_of(to);
    if (folders.insert(parent).second && fs::create_directories(parent)) {
      // A new folder's name is held by the folder above it, which may be new as well.
      for (std::string f = parent_of(parent); f.size() >= folder_.size(); f = parent_of(f))
        above.insert(f);
    }
    if (::rename(temporary(i).c_str(), to.c_str()) != 0) throw_errno("rename to " + to);
  }
  if (whole) {
    sync_filesystem(folder_);
  } else {
    folders.merge(above);
    for (const std::string& f : folders) sync_path(f, O_RDONLY | O_DIRECTORY);
  }
  paths_.clear();
  bytes_ = 0;
}

void write_file_durably(const std::string& path, std::string_view bytes) {
  std::string temporary = path + ".tmp";
  {
    Descriptor fd(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (!fd) throw_errno("open " + temporary);
    write_all(fd.get(), bytes, temporary);
    if (::fsync(fd.get()) != 0) throw_errno("fsync " + temporary);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) throw_errno("rename to " + path);
  sync_path(parent_of(path), O_RDONLY | O_DIRECTORY);
}

void make_folder_durably(const std::string& path) {
  if (fs::is_directory(path)) return;
  std::string parent = parent_of(path);
  make_folder_durably(parent);
  if (::mkdir(path.c_str(), 0750) != 0) throw_errno("mkdir " + path);
  sync_path(parent, O_RDONLY | O_DIRECTORY);
}

FolderLock::FolderLock(const std::string& folder)
    : fd_(::open((folder + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640)) {
  if (fd_ < 0) throw_errno("open " + folder + "/lock");
  held_ = ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
}

FolderLock::~FolderLock() { ::close(fd_); }

Result<std::string> read_whole_file(const std::string& path, std::size_t size_max) {
  Descriptor fd(path, O_RDONLY);
  if (!fd) {
    if (errno != ENOENT && errno != ENOTDIR) throw_errno("open " + path);
    return problem(Refusal::not_found, "ledger.no_file",
                   {"没有文件：" + path, "no such file: " + path});
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) throw_errno("stat " + path);
  if (!S_ISREG(info.st_mode)) {
    return problem(Refusal::not_found, "ledger.no_file",
                   {"不是文件：" + path, "not a file: " + path});
  }
  if (static_cast<std::size_t>(info.st_size) > size_max) {
    return problem(Refusal::too_large, "ledger.file_size",
                   {"文件过大：" + path, "the file is too large: " + path});
  }
  return read_all(fd.get(), static_cast<std::size_t>(info.st_size), path);
}

Result<std::string> read_private_file(const std::string& path) {
  Descriptor fd(path, O_RDONLY | O_NOFOLLOW);
  if (!fd) {
    if (errno != ENOENT && errno != ELOOP) throw_errno("open " + path);
    return problem(Refusal::not_found, "ledger.key_missing",
                   {"没有密钥文件：" + path, "there is no key file: " + path});
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) throw_errno("stat " + path);
  if (!S_ISREG(info.st_mode) || (info.st_mode & 077) != 0 || info.st_uid != ::geteuid()) {
    return problem(
        Refusal::unavailable, "ledger.key_mode",
        {"密钥文件必须属于本用户且权限为 0600：" + path + "。若他人可能已读到，请更换密钥",
         "the key file must be this user's own with mode 0600: " + path +
             ". If others may have read it, change the key"});
  }
  return read_all(fd.get(), std::min<std::size_t>(std::size_t(info.st_size), 4096), path);
}

Status write_private_file(const std::string& path, std::string_view bytes) {
  fs::create_directories(parent_of(path));
  Descriptor fd(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (!fd) {
    if (errno != EEXIST) throw_errno("create " + path);
    return problem(Refusal::conflict, "ledger.key_exists",
                   {"密钥文件已存在，不会覆盖：" + path,
                    "the key file exists and is never overwritten: " + path});
  }
  write_all(fd.get(), bytes, path);
  if (::fsync(fd.get()) != 0) throw_errno("fsync " + path);
  sync_path(parent_of(path), O_RDONLY | O_DIRECTORY);
  return done();
}

}  // namespace cw
