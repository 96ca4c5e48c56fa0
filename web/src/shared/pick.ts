// What a reference field can point at, found by words.
import type { Found, Page, PersonOut, PostOut, TeamOut } from "@/api/types";
import { get } from "./http";
import { may } from "./session";
import { headline, tx } from "./text";

export interface Pick { id: string; text: string; about: string }

export const isPickable = (of: string): boolean => ["person", "post", "team", "case"].includes(of);

const has = (q: string, ...parts: string[]): boolean => parts.join(" ").toLowerCase().includes(q.trim().toLowerCase());

export async function pickable(of: string, q: string, org?: string): Promise<Pick[]> {
  switch (of) {
    case "person": {
      if (!may("people.read")) return (await get<Found>("/search", { q })).people.map((p) => ({ id: p.id, text: `${p.name} ${p.staff_no}`, about: "" }));
      const page = await get<Page<PersonOut>>("/people", { q, active: true, limit: 20 });
      return page.items.map((p) => ({ id: p.id, text: `${p.name} ${p.staff_no}`, about: p.login }));
    }
    case "post": {
      const page = await get<Page<PostOut>>("/posts", { org });
      return page.items.filter((p) => has(q, p.id, p.title.zh, p.title.en)).map((p) => ({ id: p.id, text: tx(p.title), about: p.holder?.name ?? "" }));
    }
    case "team": {
      const page = await get<Page<TeamOut>>("/teams", { org });
      return page.items.filter((x) => has(q, x.id, x.title.zh, x.title.en)).map((x) => ({ id: x.id, text: tx(x.title), about: String(x.members.length) }));
    }
    default: {
      if (!q.trim()) {
        const page = await get<Page<Found["cases"][number]>>("/cases", { open: true, sort: "-updated", limit: 20 });
        return page.items.map(ofCase);
      }
      return (await get<Found>("/search", { q })).cases.map(ofCase);
    }
  }
}
const ofCase = (c: Found["cases"][number]): Pick => ({ id: c.id, text: `${c.number} ${headline(c)}`, about: tx(c.state_title) });
