// A thread with a name, as `top -H`, `perf` and a debugger show it.
//
//   std::thread writer = start_thread("journal-write", [this] { write_loop(); });
#pragma once

#include <thread>
#include <utility>

namespace cw {

void name_thread(const char* name);  // the calling one; the system shows at most 15 bytes

template <typename F>
std::thread start_thread(const char* name, F work) {
  return std::thread([name, work = std::move(work)]() mutable {
    name_thread(name);
    work();
  });
}

}  // namespace cw
