// A log in a folder. (A log at a web address: url.cpp.)
#include <algorithm>
#include <filesystem>
#include <system_error>

#include "files.h"
#include "ledger.h"
#include "log_files.h"

namespace cw {
namespace {

namespace fs = std::filesystem;

class FolderLog final : public LogFiles {
 public:
  explicit FolderLog(std::string folder) : folder_(std::move(folder)) {}

  std::optional<std::string> read(const std::string& path, std::size_t size_max) const override {
    try {
      auto bytes = read_whole_file(folder_ + "/" + path, size_max);
      if (bytes) return std::move(*bytes);
      if (bytes.problem().refusal == Refusal::not_found) return std::nullopt;
      Problem p = bytes.problem();
      p.refusal = Refusal::conflict;  // no file of a log is that large: it was altered
      p.fields.push_back({"/" + path, p.text});
      throw LogUnreadable(std::move(p));
    } catch (const std::system_error& e) {
      throw LogUnreadable(problem(
          Refusal::unavailable, "ledger.unreadable",
          {std::string("无法读取：") + e.what(), std::string("cannot be read: ") + e.what()}));
    }
  }

  std::optional<std::vector<std::string>> list() const override {
    std::vector<std::string> out;
    std::error_code error;
    auto skip = fs::directory_options::skip_permission_denied;
    for (fs::recursive_directory_iterator it(folder_, skip, error), end; !error && it != end;
         it.increment(error)) {
      if (it->is_directory() && it->path().filename() == ".tmp") it.disable_recursion_pending();
      if (it->is_regular_file()) out.push_back(it->path().lexically_relative(folder_).string());
    }
    std::sort(out.begin(), out.end());
    return out;
  }

 private:
  const std::string folder_;
};

}  // namespace

std::unique_ptr<LogFiles> folder_log(const std::string& folder) {
  return std::make_unique<FolderLog>(folder);
}

Result<std::unique_ptr<LogFiles>> open_log(const std::string& folder_or_url) {
  if (folder_or_url.starts_with("http://") || folder_or_url.starts_with("https://"))
    return url_log(folder_or_url);
  std::error_code error;
  if (!fs::is_directory(folder_or_url, error)) {
    return problem(Refusal::not_found, "ledger.no_folder",
                   {"没有文件夹：" + folder_or_url, "there is no folder " + folder_or_url});
  }
  return folder_log(folder_or_url);
}

}  // namespace cw
