#include "json_stream.h"

namespace cw::detect {

bool JsonStream::next(std::string& text) {
  text.clear();
  int depth = 0;
  bool in_string = false, escaped = false, skipping = false;
  std::streambuf& buffer = *in_.rdbuf();
  for (int c = buffer.sbumpc(); c != std::char_traits<char>::eof(); c = buffer.sbumpc()) {
    if (text.empty() && static_cast<unsigned char>(c) <= ' ') continue;
    if (text.empty() && (c == '[' || c == ',' || c == ']') && !skipping)
      continue;  // an array of events
    skipping = text.size() > size_max_;
    if (!skipping) text += static_cast<char>(c);
    if (in_string) {
      if (escaped)
        escaped = false;
      else if (c == '\\')
        escaped = true;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth <= 0) return true;
    } else if (c == '\n' && depth == 0) {
      return true;
    }
  }
  return !text.empty();
}

}  // namespace cw::detect
