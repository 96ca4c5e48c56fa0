#include "file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace cw {
namespace {

[[noreturn]] void fail_file(const std::string& doing) {
  throw std::system_error(errno, std::generic_category(), doing);
}

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

std::string folder_of(const std::string& path) {
  std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

std::optional<std::string> read_file(const std::string& path) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) {
    if (errno == ENOENT) return std::nullopt;
    fail_file("open " + path);
  }
  std::string out;
  char buffer[65536];
  for (;;) {
    ssize_t got = ::read(file.fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_file("read " + path);
    if (got == 0) return out;
    out.append(buffer, static_cast<std::size_t>(got));
  }
}

void write_file(const std::string& path, std::string_view bytes, unsigned mode) {
  ::unlink(path.c_str());
  Descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)};
  if (file.fd < 0) fail_file("create " + path);
  while (!bytes.empty()) {
    ssize_t put = ::write(file.fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail_file("write " + path);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::fsync(file.fd) != 0) fail_file("fsync " + path);
}

void write_file_atomic(const std::string& path, std::string_view bytes, unsigned mode) {
  std::string temporary = path + ".new";
  write_file(temporary, bytes, mode);
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail_file("rename " + path);
  Descriptor folder{::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.fd < 0 || ::fsync(folder.fd) != 0) fail_file("fsync folder of " + path);
}

void make_folders(const std::string& path, unsigned mode) {
  for (std::size_t at = 1; at <= path.size(); ++at) {
    if (at < path.size() && path[at] != '/') continue;
    std::string part = path.substr(0, at);
    if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST) fail_file("mkdir " + part);
  }
}

std::int64_t free_bytes(const std::string& folder) {
  struct statvfs s;
  if (::statvfs(folder.c_str(), &s) != 0) fail_file("statvfs " + folder);
  return static_cast<std::int64_t>(s.f_bavail) * static_cast<std::int64_t>(s.f_frsize);
}

}  // namespace cw
