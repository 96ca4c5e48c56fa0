// Keys, signed notes and checkpoints: C2SP signed-note, tlog-checkpoint, tlog-cosignature.
#include <algorithm>

#include "base/text.h"
#include "files.h"
#include "ledger.h"

namespace cw {
namespace {

constexpr std::size_t note_size_max = 64 * 1024;
constexpr std::size_t note_signatures_max = 64;
constexpr std::string_view signature_start = "\xE2\x80\x94 ";  // em dash, space
constexpr std::string_view private_start = "PRIVATE+KEY+";
constexpr std::uint8_t kind_note = 1, kind_cosignature = 4;

std::string big_endian(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += char(value >> (8 * i));
  return out;
}

std::uint64_t from_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (unsigned char c : bytes) value = (value << 8) | c;
  return value;
}

std::uint32_t note_key_id(std::string_view name, std::uint8_t kind, std::string_view public_key) {
  char k = char(kind);
  Hash h = sha256_of({name, "\n", std::string_view(&k, 1), public_key});
  return std::uint32_t(from_big_endian(bytes_of(h).substr(0, 4)));
}

std::string note_key_hex(std::uint32_t id) { return to_hex(big_endian(id, 4)); }

// Non-empty, no space, no plus, no control character, at most 255 bytes of UTF-8.
bool is_key_name(std::string_view name) {
  if (name.empty() || name.size() > 255 || !is_utf8(name)) return false;
  for (unsigned char c : name)
    if (c <= 0x20 || c == '+' || c == 0x7f) return false;
  // The spaces of Unicode outside ASCII.
  for (std::string_view space : {"\xC2\x85", "\xC2\xA0", "\xE1\x9A\x80", "\xE2\x80\xA8",
                                 "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"})
    if (name.find(space) != name.npos) return false;
  for (char c = '\x80'; c <= '\x8A'; ++c)
    if (name.find(std::string("\xE2\x80") + c) != name.npos) return false;
  return true;
}

Problem bad_line(int line, Text text) {
  std::string at = std::to_string(line);
  text = {"检查点第 " + at + " 行：" + text.zh, "Checkpoint line " + at + ": " + text.en};
  Problem p{Refusal::conflict, "ledger.checkpoint", text, {}, 0};
  p.fields.push_back({"/checkpoint/" + at, std::move(text)});
  return p;
}

Problem bad_key(Text text) { return invalid("ledger.key", "/key", std::move(text)); }

std::string cosigned_message(std::string_view text, std::uint64_t time) {
  return "cosignature/v1\ntime " + std::to_string(time) + "\n" + std::string(text);
}

// One line "— name base64".
Result<NoteSignature> parse_signature_line(std::string_view line, int number) {
  if (line.substr(0, signature_start.size()) != signature_start)
    return bad_line(number,
                    {"不是签名行（应以“— ”开头）", "not a signature line (it begins \"— \")"});
  line.remove_prefix(signature_start.size());
  std::size_t space = line.find(' ');
  if (space == line.npos || !is_key_name(line.substr(0, space)))
    return bad_line(number, {"签名行没有有效的密钥名", "the signature line has no valid key name"});
  auto bytes = from_base64(line.substr(space + 1));
  if (!bytes || bytes->size() < 5)
    return bad_line(number, {"签名不是规范的 Base64", "the signature is not canonical base64"});
  auto id = std::uint32_t(from_big_endian(std::string_view(*bytes).substr(0, 4)));
  return NoteSignature{std::string(line.substr(0, space)), id, bytes->substr(4), number};
}

bool signature_fits(const VerifierKey& key, const std::string& text, const std::string& signature) {
  if (key.kind == kind_note) return ed25519_verify(key.public_key, text, signature);
  if (key.kind != kind_cosignature || signature.size() != 72) return false;
  std::uint64_t time = from_big_endian(std::string_view(signature).substr(0, 8));
  return time < (std::uint64_t{1} << 63) &&
         ed25519_verify(key.public_key, cosigned_message(text, time), signature.substr(8));
}

}  // namespace

Result<VerifierKey> VerifierKey::parse(std::string_view vkey) {
  vkey = trim(vkey);
  Problem malformed = bad_key(
      {"公钥格式应为“名称+8 位十六进制+Base64”", "a verifier key is \"name+8 hex digits+base64\""});
  std::size_t plus1 = vkey.find('+');
  std::size_t plus2 = plus1 == vkey.npos ? vkey.npos : vkey.find('+', plus1 + 1);
  if (plus2 == vkey.npos) return malformed;
  auto bytes = from_base64(vkey.substr(plus2 + 1));
  if (!is_key_name(vkey.substr(0, plus1)) || !bytes || bytes->size() != 33) return malformed;
  VerifierKey key{std::string(vkey.substr(0, plus1)), std::uint8_t((*bytes)[0]), bytes->substr(1)};
  if (key.kind != kind_note && key.kind != kind_cosignature)
    return bad_key(
        {"不支持的签名算法（只支持 Ed25519）", "an unknown signature kind (only Ed25519)"});
  if (vkey.substr(plus1 + 1, plus2 - plus1 - 1) != note_key_hex(key.id()))
    return bad_key(
        {"公钥与其校验值不符，请重新抄录", "the key does not fit its own hash: copy it again"});
  return key;
}

std::string VerifierKey::text() const {
  return name + "+" + note_key_hex(id()) + "+" + to_base64(char(kind) + public_key);
}

std::uint32_t VerifierKey::id() const { return note_key_id(name, kind, public_key); }

std::string NoteSigner::signature_line(std::string_view text) const {
  return std::string(signature_start) + name + " " +
         to_base64(big_endian(verifier().id(), 4) + key.sign(text)) + "\n";
}

std::string NoteSigner::cosignature_line(std::string_view text, std::int64_t now_s) const {
  CW_CHECK(now_s >= 0);
  auto time = static_cast<std::uint64_t>(now_s);
  return std::string(signature_start) + name + " " +
         to_base64(big_endian(verifier(kind_cosignature).id(), 4) + big_endian(time, 8) +
                   key.sign(cosigned_message(text, time))) +
         "\n";
}

std::string NoteSignature::text() const {
  return std::string(signature_start) + name + " " + to_base64(big_endian(key_id, 4) + bytes) +
         "\n";
}

Result<NoteSigner> read_signer(const std::string& path, std::string_view name) {
  auto line = read_private_file(path);
  if (!line) return line.problem();
  SecretBytes held = SecretBytes::copy(trim(*line));
  wipe(*line);
  std::string_view rest = held.view();
  Problem malformed =
      problem(Refusal::unavailable, "ledger.key_file",
              {"签名密钥文件损坏：" + path, "the signing key file is damaged: " + path});
  if (rest.substr(0, private_start.size()) != private_start) return malformed;
  rest.remove_prefix(private_start.size());
  std::size_t plus1 = rest.find('+');
  std::size_t plus2 = plus1 == rest.npos ? rest.npos : rest.find('+', plus1 + 1);
  if (plus2 == rest.npos) return malformed;
  auto seed = from_base64(rest.substr(plus2 + 1));
  if (!seed || seed->size() != 33 || (*seed)[0] != char(kind_note)) return malformed;
  NoteSigner signer{std::string(rest.substr(0, plus1)),
                    SigningKey::from_seed(std::string_view(*seed).substr(1))};
  wipe(*seed);
  if (rest.substr(plus1 + 1, plus2 - plus1 - 1) != note_key_hex(signer.verifier().id()))
    return malformed;
  if (!name.empty() && signer.name != name) {
    return problem(
        Refusal::unavailable, "ledger.key_name",
        {"签名密钥属于“" + signer.name + "”，不是“" + std::string(name) + "”",
         "the signing key is of \"" + signer.name + "\", not \"" + std::string(name) + "\""});
  }
  return signer;
}

Result<NoteSigner> create_signer(const std::string& path, std::string_view name, Random& random) {
  if (!is_key_name(name)) {
    return invalid("ledger.name", "/origin",
                   {"名称不能为空、含空格或加号，最多 255 字节",
                    "a name is not empty, has no space and no plus, and at most 255 bytes"});
  }
  NoteSigner signer{std::string(name), SigningKey::generate(random)};
  std::string secret(1, char(kind_note));
  secret += signer.key.seed();
  std::string line = std::string(private_start) + signer.name + "+" +
                     note_key_hex(signer.verifier().id()) + "+" + to_base64(secret) + "\n";
  Status written = write_private_file(path, line);
  wipe(secret);
  wipe(line);
  if (!written) return written.problem();
  return signer;
}

Result<SignedNote> SignedNote::parse(std::string_view note) {
  if (note.size() > note_size_max) return bad_line(1, {"超过 64 KiB", "longer than 64 KiB"});
  int line = 1;
  for (std::size_t i = 0; i < note.size(); ++i) {
    auto c = static_cast<unsigned char>(note[i]);
    if ((c < 0x20 && c != '\n') || c == 0x7f)
      return bad_line(line, {"含控制字符", "a control character"});
    if (c == '\n') {
      ++line;
    } else if (c >= 0x80) {
      std::size_t end = std::min(note.find('\n', i), note.size());
      if (!is_utf8(note.substr(i, end - i)))
        return bad_line(line, {"不是有效的 UTF-8", "not valid UTF-8"});
      i = end - 1;
    }
  }
  std::size_t gap = note.rfind("\n\n");
  if (gap == note.npos)
    return bad_line(4, {"缺少正文与签名之间的空行", "no empty line between text and signatures"});
  SignedNote out;
  out.text = note.substr(0, gap + 1);
  int number = int(std::count(out.text.begin(), out.text.end(), '\n')) + 2;
  std::string_view rest = note.substr(gap + 2);
  if (rest.empty()) return bad_line(number, {"没有签名", "there is no signature"});
  for (; !rest.empty(); ++number) {
    std::size_t end = rest.find('\n');
    if (end == rest.npos)
      return bad_line(number, {"最后一行没有换行符", "the last line does not end in a newline"});
    if (out.signatures.size() == note_signatures_max)
      return bad_line(number, {"签名超过 64 个", "more than 64 signatures"});
    auto signature = parse_signature_line(rest.substr(0, end), number);
    if (!signature) return signature.problem();
    out.signatures.push_back(std::move(*signature));
    rest.remove_prefix(end + 1);
  }
  return out;
}

Result<std::int64_t> SignedNote::verify(const VerifierKey& key) const {
  std::optional<std::int64_t> found;
  for (const NoteSignature& s : signatures) {
    if (!s.by(key)) continue;
    if (!signature_fits(key, text, s.bytes)) {
      return bad_line(s.line, {"“" + key.name + "”的签名与内容不符",
                               "the signature of \"" + key.name + "\" does not fit the text"});
    }
    found = key.kind == kind_note
                ? 0
                : std::int64_t(from_big_endian(std::string_view(s.bytes).substr(0, 8)));
  }
  if (found) return *found;
  return bad_line(signatures.front().line,
                  {"没有密钥“" + key.text() + "”的签名", "no signature by the key " + key.text()});
}

Result<Checkpoint> Checkpoint::parse(std::string_view text) {
  Checkpoint out;
  std::vector<std::string_view> lines = split(text, '\n');
  if (!lines.empty()) lines.pop_back();  // what follows the final newline: nothing
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (lines[i].empty()) return bad_line(int(i + 1), {"是空行", "is empty"});
  if (lines.size() < 3)
    return bad_line(int(lines.size() + 1),
                    {"缺失（应有来源、大小、根三行）", "is missing (origin, size, root)"});
  out.origin = lines[0];
  auto size = to_int<std::uint64_t>(lines[1]);
  if (!size || std::to_string(*size) != lines[1] || *size >= (std::uint64_t{1} << 48))
    return bad_line(2, {"大小不是规范的十进制数", "the size is not a canonical decimal number"});
  out.size = *size;
  auto root = from_base64(lines[2]);
  if (!root || root->size() != out.root.size())
    return bad_line(
        3, {"根不是 32 字节的规范 Base64", "the root is not 32 bytes of canonical base64"});
  out.root = hash_from(*root);
  for (std::size_t i = 3; i < lines.size(); ++i) out.extensions.emplace_back(lines[i]);
  return out;
}

std::string Checkpoint::text() const {
  std::string out = origin + "\n" + std::to_string(size) + "\n" + to_base64(bytes_of(root)) + "\n";
  for (const std::string& line : extensions) out += line + "\n";
  return out;
}

Result<Checkpoint> open_checkpoint(std::string_view note, const VerifierKey& key) {
  auto parsed = SignedNote::parse(note);
  if (!parsed) return parsed.problem();
  auto checkpoint = Checkpoint::parse(parsed->text);
  if (!checkpoint) return checkpoint;
  if (checkpoint->origin != key.name) {
    return bad_line(1, {"来源与公钥“" + key.name + "”不符",
                        "the origin is not that of the key \"" + key.name + "\""});
  }
  auto verified = parsed->verify(key);
  if (!verified) return verified.problem();
  return checkpoint;
}

}  // namespace cw
