// One decision: the entries that a command appends, to one case after another, with all that
// follows of itself (automatic actions, marks already due, children, parents). Writer thread only.
#pragma once

#include "sketch.h"

namespace cw {

// The start of a case, ready to be written.
struct Filing {
  std::shared_ptr<const Definition> definition;
  std::string digest;
  std::string case_id, org, actor, basis, subject, origin;
  bool drill = false;
  int compress = 1;
  Slot parent = no_slot;
  const json::object* form = nullptr;
  const json::object* facts = nullptr;
  const std::vector<Assignment>* set = nullptr;
  std::string content;
};

class Turn {
 public:
  Turn(Engine::Impl& impl, Draft& draft) : m(impl), draft_(draft), now(draft.now_ms()) {}

  Engine::Impl& m;

 private:
  Draft& draft_;

 public:
  const std::int64_t now;

  Draft& draft() { return draft_; }
  // An empty body whose memory goes with the commit, in one piece.
  json::object body() { return json::object(8, draft_.memory()); }
  Result<Slot> at(const By& by);
  Result<Slot> at(Slot slot, std::optional<std::uint64_t> if_seq);  // the same, looked up already
  // Judges who may start it; the actor "system" (a parent's effect) may always.
  Result<Slot> start(const Filing& filing);

  // Appends what the sketch changed; `head` has kind, name, actor, basis, content and any body of
  // its own. Then tells and opens.
  // `before`: what the sketch began with, where that is not the case itself.
  std::uint64_t emit(Sketch& sketch, Slot slot, Entry head, const Case* before = nullptr);
  // Before the first case on a definition's text: an entry, and the text kept with it.
  void adopt(const Definition& definition, const std::string& digest, std::uint16_t place);
  // Everything that now happens of itself to this case and those it wakes. `overdue`: also marks
  // and limits that are already due.
  void follow(Slot slot, bool overdue);
  // Fires the earliest timer of a case; false when none is due.
  bool fire(Slot slot);
  // Opens the earliest schedule that is due; false when none is.
  bool open_scheduled();

  json::object answer(Slot slot) const;

 private:
  bool automatic(Slot slot);
  void start_child(const Opening& opening, Slot parent);
  void tell_level(Sketch& sketch, const Case& was);
  void tell_work(Sketch& sketch, const Case& was, std::string_view actor);
  void tell(Sketch& sketch, Slot slot, std::uint64_t seq);

  std::vector<Slot> wake_;
  int children_ = 0;
};

}  // namespace cw
