// Survives a full disk: a file of reserved bytes beside the database is given up for the commit
// that finds the disk full and the one decided after it, and no further command is taken until
// there is room again. A batch is bounded so that two of them fit the reserve. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace cw {

class DiskReserve {
 public:
  DiskReserve(std::string database_path, std::int64_t bytes);

  // Room is demanded beside the reserve; once it ran out, more, so that it does not flap.
  bool has_room();
  // Whether a batch of so many bytes may be decided: two of them fit the reserve, or the disk.
  bool covers(std::size_t batch_bytes) const;
  std::size_t batch_bytes_max() const { return static_cast<std::size_t>(bytes_) / 4; }
  void give_up();  // frees the reserved bytes
  bool full() const { return full_; }

 private:
  bool hold();
  const std::string folder_, path_;
  const std::int64_t bytes_;
  std::mutex mutex_;
  bool held_ = false;
  std::atomic<bool> full_{false};
};

}  // namespace cw
