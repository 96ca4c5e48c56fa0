// Follows one log file through rotation (rename and create, or copy and truncate) and restarts. The
// position is inode + offset + hash of the file's head, so that a new file under the old name, or
// an old file under a new one, is told apart. One thread.
//
//   FileTail tail(path, line_max, from_start);
//   tail.restore(saved);                         // what position() gave before the restart
//   tail.poll([&](std::string_view line) { … }, bytes_max);
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace cw::watch {

class FileTail {
 public:
  struct Stats {
    std::uint64_t rotations = 0, cut = 0;
    bool reading = false;
  };

  FileTail(std::string path, std::size_t line_max, bool from_start);
  ~FileTail();
  FileTail(const FileTail&) = delete;
  FileTail& operator=(const FileTail&) = delete;

  void restore(std::string_view saved);  // before the first poll; ignored when it makes no sense
  std::string position() const;          // of the first byte not yet given as part of a line

  // Gives the complete lines that are there, without their LF, at most about `bytes_max` bytes.
  // True if more is waiting. A line longer than `line_max` is cut and counted.
  bool poll(const std::function<void(std::string_view)>& line, std::size_t bytes_max);
  const Stats& stats() const { return stats_; }

 private:
  bool open_path();
  bool resume();  // after a restart: finds where we were
  void adopt(int fd, std::uint64_t offset);
  void check_rotation(const std::function<void(std::string_view)>& line);
  bool read_some(const std::function<void(std::string_view)>& line, std::size_t bytes_max);
  void split(const std::function<void(std::string_view)>& line);
  void flush_partial(const std::function<void(std::string_view)>& line);
  void give(std::string_view text, const std::function<void(std::string_view)>& line);

  std::string path_;
  std::size_t line_max_;
  bool from_start_;
  int fd_ = -1;
  std::uint64_t device_ = 0, inode_ = 0;
  std::uint64_t offset_ = 0;  // of the next byte to read
  std::string pending_;       // read, but no LF yet
  bool skipping_ = false;     // the rest of a line that was cut
  std::string head_;          // hash of the first head_size_ bytes
  std::uint64_t head_size_ = 0;
  struct Saved {
    std::uint64_t inode = 0, offset = 0, head_size = 0;
    std::string head;
  };
  Saved saved_;
  bool has_saved_ = false, first_open_ = true;
  Stats stats_;
};

}  // namespace cw::watch
