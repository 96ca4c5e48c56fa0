#include "reserve.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "storage/file.h"

namespace cw {

DiskReserve::DiskReserve(std::string database_path, std::int64_t bytes)
    : folder_(database_path.find('/') == std::string::npos
                  ? "."
                  : database_path.substr(0, database_path.rfind('/') + 1)),
      path_(database_path + ".reserve"),
      bytes_(bytes) {}

bool DiskReserve::hold() {
  int fd = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  bool held = ::posix_fallocate(fd, 0, bytes_) == 0;
  ::close(fd);
  if (!held) ::unlink(path_.c_str());
  return held;
}

bool DiskReserve::has_room() {
  std::lock_guard lock(mutex_);
  bool full = free_bytes(folder_) < bytes_ / (full_ ? 2 : 4);
  if (!full && !held_) full = !(held_ = hold());
  if (full != full_) {
    log_warn("journal", "{}",
             full ? "the disk is full: commands are refused"
                  : "there is room again: commands are taken");
  }
  full_ = full;
  return !full;
}

bool DiskReserve::covers(std::size_t batch_bytes) const {
  auto both = static_cast<std::int64_t>(batch_bytes) * 2;
  return both <= bytes_ || both <= free_bytes(folder_);
}

void DiskReserve::give_up() {
  std::lock_guard lock(mutex_);
  log_warn("journal", "the disk is full; the reserve is used for the last commits");
  ::unlink(path_.c_str());
  held_ = false;
}

}  // namespace cw
