// Turns OpenSSL's null pointers and zeros into exceptions: they mean that the library or the memory
// failed, never that the input was bad. Thread-safe. Private to the module.
//
//   EVP_MD_CTX* c = openssl_need(EVP_MD_CTX_new());
#pragma once

#include <openssl/err.h>

#include <stdexcept>
#include <string>

namespace cw {

[[noreturn]] inline void openssl_failed() {
  char text[160];
  ERR_error_string_n(ERR_get_error(), text, sizeof text);
  ERR_clear_error();
  throw std::runtime_error(std::string("OpenSSL: ") + text);
}

template <typename T>
T* openssl_need(T* made) {
  if (made == nullptr) openssl_failed();
  return made;
}

inline void openssl_need(int result) {
  if (result != 1) openssl_failed();
}

}  // namespace cw
