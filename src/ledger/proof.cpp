// The text of a proof: C2SP tlog-proof.
#include "base/text.h"
#include "ledger.h"

namespace cw {
namespace {

constexpr std::size_t proof_size_max = 256 * 1024;
constexpr std::size_t proof_hashes_max = 63;
constexpr std::string_view proof_first_line = "c2sp.org/tlog-proof@v1";

Problem bad_proof(int line, Text text) {
  std::string at = std::to_string(line);
  text = {"证明第 " + at + " 行：" + text.zh, "Proof line " + at + ": " + text.en};
  Problem p{Refusal::conflict, "ledger.proof", text, {}, 0};
  p.fields.push_back({"/proof/" + at, std::move(text)});
  return p;
}

}  // namespace

Result<TlogProof> TlogProof::parse(std::string_view text) {
  if (text.size() > proof_size_max) return bad_proof(1, {"超过 256 KiB", "longer than 256 KiB"});
  TlogProof out;
  int number = 0;
  auto next = [&]() -> std::optional<std::string_view> {
    std::size_t end = text.find('\n');
    if (end == text.npos) return std::nullopt;
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    ++number;
    return line;
  };
  auto cut_short = [&] { return bad_proof(number + 1, {"证明不完整", "the proof is cut short"}); };
  auto line = next();
  if (line != proof_first_line)
    return bad_proof(1, {"不是 c2sp.org/tlog-proof@v1", "not c2sp.org/tlog-proof@v1"});
  line = next();
  if (line && line->substr(0, 6) == "extra ") {
    out.extra = from_base64(line->substr(6));
    if (!out.extra)
      return bad_proof(number, {"extra 不是规范的 Base64", "extra is not canonical base64"});
    line = next();
  }
  if (!line) return cut_short();
  auto index =
      line->substr(0, 6) == "index " ? to_int<std::uint64_t>(line->substr(6)) : std::nullopt;
  if (!index || std::to_string(*index) != line->substr(6))
    return bad_proof(number, {"应为“index 序号”", "should be \"index <number>\""});
  out.index = *index;
  while ((line = next()) && !line->empty()) {
    auto hash = from_base64(*line);
    if (!hash || hash->size() != 32 || out.hashes.size() == proof_hashes_max)
      return bad_proof(number, {"应为 32 字节的规范 Base64，最多 63 行",
                                "should be 32 bytes of canonical base64, at most 63 lines"});
    out.hashes.push_back(hash_from(*hash));
  }
  if (!line) return cut_short();
  out.checkpoint = text;
  auto note = SignedNote::parse(out.checkpoint);
  if (!note) return note.problem();
  auto checkpoint = Checkpoint::parse(note->text);
  if (!checkpoint) return checkpoint.problem();
  return out;
}

std::string TlogProof::text() const {
  std::string out(proof_first_line);
  out += "\n";
  if (extra) out += "extra " + to_base64(*extra) + "\n";
  out += "index " + std::to_string(index) + "\n";
  for (const Hash& h : hashes) out += to_base64(bytes_of(h)) + "\n";
  return out + "\n" + checkpoint;
}

Result<VerifyReport> verify_proof(std::string_view proof, const std::string& key,
                                  std::optional<std::string_view> entry) {
  auto parsed = TlogProof::parse(proof);
  if (!parsed) return parsed.problem();
  auto vkey = VerifierKey::parse(key);
  if (!vkey) return vkey.problem();
  auto checkpoint = open_checkpoint(parsed->checkpoint, *vkey);
  if (!checkpoint) return checkpoint.problem();
  if (!entry && parsed->extra) entry = *parsed->extra;
  if (!entry) {
    return invalid(
        "ledger.no_entry", "/entry",
        {"证明不含条目本身，请另外给出条目", "the proof does not hold the entry: give it"});
  }
  if (!verify_inclusion(parsed->index, checkpoint->size, leaf_hash(*entry), parsed->hashes,
                        checkpoint->root)) {
    std::string n = std::to_string(parsed->index);
    Text text{
        "第 " + n + " 号条目不在该检查点所签的账本中，或证明被改动",
        "entry " + n + " is not in the log that this checkpoint signs, or the proof was altered"};
    Problem p{Refusal::conflict, "ledger.proof_fails", text, {}, 0};
    p.fields.push_back({"/entries/" + n, text});
    return p;
  }
  return VerifyReport{*checkpoint, parsed->index, parsed->index + 1, false, key};
}

}  // namespace cw
