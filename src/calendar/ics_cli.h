// `callwarden calendar export|import`: holidays and opening hours as iCalendar, and back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <span>
#include <string>

namespace cw {

int calendar_export(std::span<const std::string> args, const std::filesystem::path& content,
                    std::int64_t now_ms, std::ostream& out, std::ostream& err);
int calendar_import(std::span<const std::string> args, std::ostream& out, std::ostream& err);

}  // namespace cw
