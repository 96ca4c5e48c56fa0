// Copying a log, file by file as it verifies.
#include <filesystem>
#include <system_error>

#include "files.h"
#include "tile.h"

namespace cw {

namespace fs = std::filesystem;

Result<VerifyReport> export_log(const LogFiles& log, const std::string& folder,
                                VerifyOptions options) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error)) {
    return invalid(
        "ledger.export_folder", "/folder",
        {"目标文件夹不是空的：" + folder, "the folder to export to is not empty: " + folder});
  }
  options.from.reset();
  options.to.reset();
  FileBatch batch(folder);
  std::string checkpoint;
  options.on_file = [&](const std::string& path, const std::string& bytes) {
    if (path == "checkpoint") {
      checkpoint = bytes;
    } else {
      batch.add(path, bytes);
    }
  };
  auto report = verify_log(log, options);
  if (!report) return report;
  batch.commit();
  fs::remove(folder + "/.tmp", error);
  write_file_durably(folder + "/checkpoint", checkpoint);
  return report;
}

}  // namespace cw
