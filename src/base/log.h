// The server's own log (standard error, one line an event): operations, never personal data,
// never contents. Thread-safe. Field values are bare words or quoted.
//
//   log_info("journal", "opened entries={} in {} ms", count, ms);
#pragma once

#include <spdlog/fmt/fmt.h>

#include <string_view>

namespace cw {

enum class LogLevel { debug, info, warn, error };

void log_level(LogLevel least);
void log_line(LogLevel level, std::string_view module, std::string_view line);

template <typename... A>
void log_info(std::string_view module, fmt::format_string<A...> f, A&&... a) {
  log_line(LogLevel::info, module, fmt::format(f, std::forward<A>(a)...));
}
template <typename... A>
void log_warn(std::string_view module, fmt::format_string<A...> f, A&&... a) {
  log_line(LogLevel::warn, module, fmt::format(f, std::forward<A>(a)...));
}
template <typename... A>
void log_error(std::string_view module, fmt::format_string<A...> f, A&&... a) {
  log_line(LogLevel::error, module, fmt::format(f, std::forward<A>(a)...));
}

}  // namespace cw
