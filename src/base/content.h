// Files that people write: those of content/ and those named on the command line. Thread-safe.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cw {

inline constexpr std::size_t content_file_max = 1 << 20;  // bytes of one file under content/

// The file's bytes, at most one more than `size_max`: enough for its reader to refuse it. Nothing
// when it is not a regular file or cannot be read.
std::optional<std::string> content_text(const std::filesystem::path& file,
                                        std::size_t size_max = content_file_max);

// The folder's *.yaml in the order of their names; none when there is no such folder.
std::vector<std::filesystem::path> yaml_files(const std::filesystem::path& folder);

}  // namespace cw
