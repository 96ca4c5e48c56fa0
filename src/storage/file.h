// Whole files: read, and write so that a crash leaves the old or the new one. Thread-safe.
// Failures of the environment are std::system_error.
//
//   write_file_atomic(folder + "/head", bytes, 0600);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cw {

std::optional<std::string> read_file(const std::string& path);  // nothing when it does not exist
// Creates or replaces it and syncs it; its folder is not synced.
void write_file(const std::string& path, std::string_view bytes, unsigned mode = 0644);
void write_file_atomic(const std::string& path, std::string_view bytes, unsigned mode = 0644);
void make_folders(const std::string& path, unsigned mode = 0750);
std::int64_t free_bytes(const std::string& folder);  // what an unprivileged writer may still use

}  // namespace cw
