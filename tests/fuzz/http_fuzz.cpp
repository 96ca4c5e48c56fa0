// Any bytes as a request. The guard must not crash, must keep to its limits, must say the same
// however the bytes are cut into pieces, and whatever it lets through must be clean.
#include <cstddef>
#include <cstdint>

#include "base/text.h"
#include "http/http.h"

namespace {

constexpr std::size_t kBodyMax = 4096;

void check_clean(const cw::http::Request& r) {
  auto clean = [](std::string_view text) {
    for (unsigned char c : text) {
      if ((c < 0x20 && c != '\t') || c == 0x7f) return false;
    }
    return cw::is_utf8(text);
  };
  CW_CHECK(clean(r.method) && clean(r.target) && clean(r.path));
  CW_CHECK(r.path == "*" || r.path.starts_with('/'));
  for (const auto& segment : r.segments) {
    CW_CHECK(clean(segment) && segment != "." && segment != "..");
    CW_CHECK(segment.find_first_of("/\\") == std::string::npos);
  }
  for (const auto& [name, value] : r.query) CW_CHECK(clean(name) && clean(value));
  for (const auto& [name, value] : r.headers.all()) CW_CHECK(clean(name) && clean(value));
  CW_CHECK(!(r.headers.has("Content-Length") && r.headers.has("Transfer-Encoding")));
  CW_CHECK(r.body.size() <= kBodyMax);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using cw::http::read_request;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = read_request(bytes, kBodyMax);
  const auto pieces = read_request(bytes, kBodyMax, 1);
  CW_CHECK(whole.ok() == pieces.ok());
  if (!whole) {
    CW_CHECK(whole.problem().code == pieces.problem().code);
    return 0;
  }
  CW_CHECK(whole->target == pieces->target && whole->body == pieces->body);
  check_clean(*whole);
  return 0;
}
