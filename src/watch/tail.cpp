#include "tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/json.h"
#include "base/text.h"
#include "crypto/crypto.h"

namespace cw::watch {
namespace {

constexpr std::size_t kHead = 256;
constexpr std::size_t kRead = 64 * 1024;

std::string head_hash(int fd, std::uint64_t size) {
  char buffer[kHead];
  ssize_t n = pread(fd, buffer, size, 0);
  if (n != static_cast<ssize_t>(size)) return "";
  return to_hex(bytes_of(sha256({buffer, size})));
}

int open_log(const std::string& path) {
  return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

}  // namespace

FileTail::FileTail(std::string path, std::size_t line_max, bool from_start)
    : path_(std::move(path)), line_max_(line_max), from_start_(from_start) {}

FileTail::~FileTail() {
  if (fd_ >= 0) close(fd_);
}

void FileTail::restore(std::string_view saved) {
  Result<json::value> v = parse_json(saved);
  if (!v || !v->is_object()) return;
  const json::object& o = v->get_object();
  saved_ = {static_cast<std::uint64_t>(int_or(o, "inode")),
            static_cast<std::uint64_t>(int_or(o, "offset")),
            static_cast<std::uint64_t>(int_or(o, "head_size")), std::string(text_or(o, "head"))};
  has_saved_ = saved_.inode != 0 && saved_.head_size <= kHead;
}

std::string FileTail::position() const {
  if (fd_ < 0) return "";
  return json::serialize(json::object{{"inode", inode_},
                                      {"offset", offset_ - pending_.size()},
                                      {"head_size", head_size_},
                                      {"head", head_}});
}

void FileTail::adopt(int fd, std::uint64_t offset) {
  if (fd_ >= 0) close(fd_);
  struct stat st {};
  fstat(fd, &st);
  fd_ = fd;
  device_ = st.st_dev;
  inode_ = st.st_ino;
  offset_ = offset;
  head_size_ = 0;
  head_.clear();
  pending_.clear();
  skipping_ = false;
}

// Was it this file, and is what we had read still its beginning?
static bool is_saved_file(int fd, std::uint64_t inode, std::uint64_t offset,
                          std::uint64_t head_size, const std::string& head) {
  struct stat st {};
  return fstat(fd, &st) == 0 && st.st_ino == inode &&
         static_cast<std::uint64_t>(st.st_size) >= offset && head_hash(fd, head_size) == head;
}

bool FileTail::resume() {
  has_saved_ = false;
  auto found = [&](int fd) {
    return is_saved_file(fd, saved_.inode, saved_.offset, saved_.head_size, saved_.head);
  };
  int fd = open_log(path_);
  if (fd >= 0 && found(fd)) {
    adopt(fd, saved_.offset);
    return true;
  }
  if (fd >= 0) close(fd);
  // Rotated while we were away: what was left unread is in a neighbour ("messages.1").
  std::filesystem::path whole(path_);
  std::string stem = whole.filename().string();
  std::error_code ignored;
  for (const auto& near : std::filesystem::directory_iterator(whole.parent_path(), ignored)) {
    if (!near.path().filename().string().starts_with(stem)) continue;
    fd = open_log(near.path().string());
    if (fd < 0) continue;
    if (found(fd)) {
      adopt(fd, saved_.offset);
      return true;
    }
    close(fd);
  }
  return false;
}

bool FileTail::open_path() {
  bool had_position = has_saved_;
  bool first = std::exchange(first_open_, false);
  if (had_position && resume()) return true;
  int fd = open_log(path_);
  struct stat st {};
  if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    if (fd >= 0) close(fd);
    first_open_ = first;
    return false;
  }
  bool at_end = first && !had_position && !from_start_;
  adopt(fd, at_end ? static_cast<std::uint64_t>(st.st_size) : 0);
  return true;
}

void FileTail::give(std::string_view text, const std::function<void(std::string_view)>& line) {
  if (text.size() > line_max_) {
    text = text.substr(0, line_max_);
    ++stats_.cut;
  }
  line(text);
}

void FileTail::split(const std::function<void(std::string_view)>& line) {
  std::size_t begin = 0;
  for (std::size_t lf; (lf = pending_.find('\n', begin)) != std::string::npos; begin = lf + 1) {
    if (!std::exchange(skipping_, false)) {
      give(std::string_view(pending_).substr(begin, lf - begin), line);
    }
  }
  pending_.erase(0, begin);
  if (skipping_) {
    pending_.clear();
  } else if (pending_.size() > line_max_) {  // no end in sight: give what fits, skip the rest
    give(pending_, line);
    pending_.clear();
    skipping_ = true;
  }
}

void FileTail::flush_partial(const std::function<void(std::string_view)>& line) {
  if (!pending_.empty() && !skipping_) give(pending_, line);
  pending_.clear();
  skipping_ = false;
}

bool FileTail::read_some(const std::function<void(std::string_view)>& line, std::size_t bytes_max) {
  char buffer[kRead];
  std::size_t total = 0;
  while (total < bytes_max) {
    ssize_t n = pread(fd_, buffer, sizeof buffer, static_cast<off_t>(offset_));
    if (n <= 0) return false;
    offset_ += static_cast<std::uint64_t>(n);
    total += static_cast<std::size_t>(n);
    pending_.append(buffer, static_cast<std::size_t>(n));
    if (head_size_ < kHead) {
      head_size_ = std::min<std::uint64_t>(kHead, offset_);
      head_ = head_hash(fd_, head_size_);
    }
    split(line);
  }
  return true;
}

void FileTail::check_rotation(const std::function<void(std::string_view)>& line) {
  struct stat here {
  }, there{};
  if (fstat(fd_, &here) != 0) return;
  bool shorter = static_cast<std::uint64_t>(here.st_size) < offset_;
  bool other_head = head_size_ > 0 && !shorter && head_hash(fd_, head_size_) != head_;
  if (shorter || other_head) {  // copied away and truncated
    flush_partial(line);
    offset_ = 0;
    head_size_ = 0;
    head_.clear();
    ++stats_.rotations;
    return;
  }
  if (stat(path_.c_str(), &there) != 0) return;  // moved, not made anew yet: keep reading
  if (there.st_ino == inode_ && there.st_dev == device_) return;
  while (read_some(line, kRead)) {
  }  // what was written to the old file up to now
  int fd = open_log(path_);
  if (fd < 0) return;
  flush_partial(line);
  adopt(fd, 0);
  ++stats_.rotations;
}

bool FileTail::poll(const std::function<void(std::string_view)>& line, std::size_t bytes_max) {
  if (fd_ < 0 && !open_path()) {
    stats_.reading = false;
    return false;
  }
  stats_.reading = true;
  check_rotation(line);
  return read_some(line, bytes_max);
}

}  // namespace cw::watch
