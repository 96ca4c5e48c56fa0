#include "seals.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/crypto.h"
#include "crypto/signature.h"
#include "extension.h"
#include "playbook.h"
#include "report.h"

namespace cw::cacao {
namespace {

constexpr std::size_t seals_max = 20;

struct Unsure {
  Text why;
};

Problem broken(const std::string& pointer, Text text) {
  Problem p = problem(Refusal::invalid, "cacao.signature",
                      {"签名不成立，没有导入：" + text.zh,
                       "A signature does not hold, nothing was imported: " + text.en});
  p.fields.push_back({pointer, std::move(text)});
  return p;
}

// The DER of the public key, with or without its PEM frame.
std::string key_from(const json::object& seal) {
  const std::string_view written = text_or(seal, "public_key");
  if (written.empty())
    throw Unsure{{"没有随附公钥（证书与链接不作验证，也不联网获取）",
                  "it carries no public key (certificates and links are not followed)"}};
  std::string plain;
  std::string_view body = written;
  if (const auto frame = body.find("KEY-----"); frame != std::string_view::npos)
    body = body.substr(frame + 8, body.find("-----END") - frame - 8);
  for (const char c : body)
    if (std::string_view(" \t\r\n").find(c) == std::string_view::npos) plain += c;
  while (plain.size() % 4 != 0) plain += '=';
  const auto der = from_base64(plain);
  if (!der) throw Unsure{{"公钥无法读取", "its public key cannot be read"}};
  return *der;
}

// What was signed: the canonical text's digest. The standard's example signs its hexadecimal form,
// its text could be read as its bytes; either binds every byte of the playbook.
std::vector<std::string> signed_texts(const json::object& playbook, const json::object& seal) {
  json::object whole = playbook;
  json::object bare = seal;
  bare.erase("value");
  whole["signatures"] = json::array{std::move(bare)};
  const json::value value = std::move(whole);
  if (has_fraction(value))
    throw Unsure{{"剧本含小数，无法得到规范形式",
                  "the playbook holds a fraction, which has no canonical form here"}};
  const std::string text = canonical(value);
  const std::string name = to_lower(text_or(seal, "hash_algorithm"));
  std::string digest;
  if (name == "sha-256" || name == "sha256") digest = bytes_of(sha256(text));
  if (name == "sha-384" || name == "sha384") digest = sha384(text);
  if (name == "sha-512" || name == "sha512") digest = sha512(text);
  if (digest.empty()) throw Unsure{{"不支持的散列算法", "its hash algorithm is not supported"}};
  return {to_hex(digest), digest};
}

// True when it holds, false when it does not.
bool holds(const json::object& playbook, const json::object& seal, Seal& out) {
  const std::string key = key_from(seal);
  out.key = to_hex(bytes_of(sha256(key)));
  const auto signature = from_base64url(text_or(seal, "value"));
  if (!signature || signature->empty()) return false;
  for (const std::string& text : signed_texts(playbook, seal)) {
    switch (verify_signature(out.algorithm, key, text, *signature)) {
      case Verdict::valid:
        return true;
      case Verdict::unsupported:
        throw Unsure{{"不支持的签名算法“" + out.algorithm + "”",
                      "its algorithm '" + out.algorithm + "' is not supported"}};
      case Verdict::bad_key:
        throw Unsure{{"公钥不是该算法的密钥", "its public key is none of that algorithm"}};
      case Verdict::invalid:
        break;
    }
  }
  return false;
}

}  // namespace

Result<std::vector<Seal>> check_seals(const json::object& playbook) {
  std::vector<Seal> out;
  const auto* all = playbook.if_contains("signatures");
  if (all == nullptr) return out;
  if (!all->is_array() || all->get_array().size() > seals_max)
    return broken("/signatures", {"这里应为列表，最多 20 个签名", "expected a list of at most 20"});
  for (std::size_t i = 0; i < all->get_array().size(); ++i) {
    const std::string pointer = pointer_to("/signatures", std::to_string(i));
    const auto* seal = all->get_array()[i].if_object();
    if (seal == nullptr) return broken(pointer, {"签名应为对象", "a signature is an object"});
    Seal made;
    made.id = one_line(text_or(*seal, "id"), 60);
    made.signee = one_line(text_or(*seal, "signee"), 120);
    made.algorithm = one_line(text_or(*seal, "algorithm"), 40);
    if (text_or(*seal, "related_to") != text_or(playbook, "id") ||
        text_or(*seal, "related_version") != text_or(playbook, "modified"))
      return broken(pointer,
                    {"签名属于另一份剧本或另一版本", "it is of another playbook or version"});
    try {
      if (!holds(playbook, *seal, made))
        return broken(pointer_to(pointer, "value"),
                      {"内容在签名之后改动过，或不是由所附密钥签署",
                       "the playbook was changed after it was signed, or another key signed it"});
      made.verified = true;
      made.text = {"签名成立；密钥属于谁须另行核对",
                   "it holds; whose key it is must be compared by other means"};
    } catch (const Unsure& unsure) {
      made.text = {"没有验证：" + unsure.why.zh, "not verified: " + unsure.why.en};
    }
    if (bool_or(*seal, "revoked")) {
      made.verified = false;
      made.text = {"签名人已撤销该签名", "its signer has revoked it"};
    }
    out.push_back(std::move(made));
  }
  return out;
}

}  // namespace cw::cacao
