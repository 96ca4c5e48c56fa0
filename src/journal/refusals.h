// Why a command is not taken, in the words that people read.
#pragma once

#include <string_view>

#include "base/result.h"

namespace cw {

inline Problem busy_problem() {
  Problem p = problem(Refusal::unavailable, "journal.busy",
                      {"系统繁忙，未写入任何内容，请稍后重试",
                       "The system is busy; nothing was written; try again shortly"});
  p.retry_after_s = 1;
  return p;
}
inline Problem full_problem() {
  Problem p = problem(Refusal::unavailable, "journal.disk-full",
                      {"磁盘空间不足，未写入任何内容；可以继续查看，清理空间后自动恢复",
                       "The disk is full; nothing was written; reading still works, and writing "
                       "resumes when there is room"});
  p.retry_after_s = 10;
  return p;
}
inline Problem closed_problem() {
  return problem(Refusal::unavailable, "journal.closed",
                 {"系统正在停止，未写入任何内容", "The system is stopping; nothing was written"});
}
inline Problem internal_problem() {
  return problem(Refusal::unavailable, "journal.internal",
                 {"内部错误，未写入任何内容", "An internal error; nothing was written"});
}

inline bool is_command_id(std::string_view id) {
  if (id.size() < 8 || id.size() > 64) return false;
  for (char c : id) {
    bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                c == '_' || c == '-' || c == ':' || c == '.';
    if (!good) return false;
  }
  return true;
}

}  // namespace cw
