// Survives a full disk: a file of reserved bytes beside the database is given up for the one
// commit that finds the disk full, and no further command is taken until there is room again.
// Used by the writer thread alone; full() is safe from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace cw {

class DiskReserve {
 public:
  DiskReserve(std::string database_path, std::int64_t bytes);
  // Room is demanded beside the reserve; once it ran out, twice as much, so that it does not flap.
  bool has_room();
  void give_up();  // frees the reserved bytes
  bool full() const { return full_; }

 private:
  bool hold();
  const std::string folder_, path_;
  const std::int64_t bytes_;
  bool held_ = false;
  std::atomic<bool> full_{false};
};

}  // namespace cw
