// Any bytes are a log line: no crash, no unbounded work, and every field that comes out is bounded.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "watch/watch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // The first byte chooses the format; the rest is a stream of lines to one decoder, so that what
  // it remembers of connections is exercised too.
  auto format = static_cast<cw::watch::Format>(data[0] % 8);
  cw::watch::Decoder decoder(
      {.source = "fuzz", .format = format, .line_max = 4096, .connections_max = 16});
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  while (!rest.empty()) {
    std::size_t lf = rest.find('\n');
    std::string_view line = rest.substr(0, lf);
    rest = lf == std::string_view::npos ? std::string_view{} : rest.substr(lf + 1);
    std::size_t told =
        decoder.decode({line, 1'795'305'600'000, "192.0.2.1"}, [](const cw::detect::Event& e) {
          std::size_t bytes = 0;
          for (const cw::detect::Field& f : e.fields) bytes += f.name.size() + f.value.size();
          // A field is part of the line, or a name of ours; U+FFFD makes a bad byte three.
          if (bytes > 64 * 4096 || e.fields.size() > 4096) std::abort();
        });
    if (told > 2) std::abort();
  }
  return 0;
}
