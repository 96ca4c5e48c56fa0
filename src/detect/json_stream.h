// Cuts a stream of JSON objects, one a line or written over several lines, into texts. One thread.
//
//   JsonStream stream(in, 1 << 20);
//   std::string text;
//   while (stream.next(text)) …
#pragma once

#include <istream>
#include <string>

namespace cw::detect {

class JsonStream {
 public:
  JsonStream(std::istream& in, std::size_t size_max) : in_(in), size_max_(size_max) {}
  // False at the end. What is not an object comes out as the line it stands in; a text longer than
  // `size_max` is cut there, so that whoever reads it refuses it.
  bool next(std::string& text);

 private:
  std::istream& in_;
  std::size_t size_max_;
};

}  // namespace cw::detect
