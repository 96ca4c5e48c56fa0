#include "base/content.h"

#include <algorithm>
#include <fstream>

namespace cw {

namespace fs = std::filesystem;

std::optional<std::string> content_text(const fs::path& file, std::size_t size_max) {
  std::error_code none;
  if (!fs::is_regular_file(file, none)) return std::nullopt;
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  std::string out;
  char buffer[16 << 10];
  while (in && out.size() <= size_max) {
    in.read(buffer, sizeof buffer);
    out.append(buffer, static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) return std::nullopt;
  if (out.size() > size_max) out.resize(size_max + 1);
  return out;
}

std::vector<fs::path> yaml_files(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code none;
  for (fs::directory_iterator at(folder, none), end; at != end; at.increment(none))
    if (at->path().extension() == ".yaml") out.push_back(at->path());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace cw
