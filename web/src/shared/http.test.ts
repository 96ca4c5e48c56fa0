import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { setLang } from "./text";
import { get, post, Problem, url, uuid, wire } from "./http";

const answer = (status: number, body: unknown, headers: Record<string, string> = {}) => new Response(JSON.stringify(body), { status, headers });
const sent = () => {
  const [path, init] = (fetch as unknown as ReturnType<typeof vi.fn>).mock.calls.at(-1) as [string, RequestInit];
  return { path, init, headers: init.headers as Record<string, string> };
};
beforeAll(() => setLang("zh"));
beforeEach(() => { wire.csrf = "token"; });
afterEach(() => vi.unstubAllGlobals());
const serve = (response: Response | Error) => vi.stubGlobal("fetch", vi.fn(() => (response instanceof Error ? Promise.reject(response) : Promise.resolve(response))));

describe("writes", () => {
  it("carry the CSRF token, a fresh idempotency key, and the version they were made on", async () => {
    serve(answer(200, { seq: 7 }, { ETag: '"9"' }));
    const told = vi.spyOn(wire, "onWritten");
    await post("/cases/cas_1/actions/activate", { form: {} }, { seq: 5 });
    const first = sent().headers;
    expect(first).toMatchObject({ "X-CSRF": "token", "If-Match": '"5"', "Content-Type": "application/json" });
    expect(told).toHaveBeenCalledWith(7, 9);
    serve(answer(200, { seq: 8 }));
    await post("/cases/cas_1/actions/activate");
    expect(sent().headers["Idempotency-Key"]).not.toBe(first["Idempotency-Key"]);
    expect(sent().headers).not.toHaveProperty("If-Match");
    expect(sent().init.body).toBe("{}");
  });
  it("keep their key when they are sent again", async () => {
    serve(answer(200, {}));
    await post("/cases", {}, { key: "same" });
    expect(sent().headers["Idempotency-Key"]).toBe("same");
  });
});

describe("problems", () => {
  it("keep the server's words, fields and request id", async () => {
    serve(answer(422, { status: 422, code: "form.invalid", title: "内容无效", detail: "有 1 处需要更正", fields: [{ pointer: "/form/people", text: "填写数字" }], request_id: "req_1" }));
    await expect(post("/cases", {})).rejects.toMatchObject({ status: 422, code: "form.invalid", message: "有 1 处需要更正", requestId: "req_1", fields: [{ pointer: "/form/people", message: "填写数字" }] });
  });
  it("sign out on 401, except while signing in", async () => {
    const out = vi.spyOn(wire, "onSignedOut");
    serve(answer(401, { status: 401, code: "session.expired", title: "" }));
    await expect(get("/workbench")).rejects.toBeInstanceOf(Problem);
    expect(out).toHaveBeenCalledTimes(1);
    await expect(post("/session", {}, { quiet401: true })).rejects.toBeInstanceOf(Problem);
    expect(out).toHaveBeenCalledTimes(1);
  });
  it("are made where there is no answer, and where it is no problem document", async () => {
    serve(new TypeError("failed"));
    await expect(post("/cases", {})).rejects.toMatchObject({ status: 0, code: "network", offline: true });
    serve(new Response("<html>", { status: 502 }));
    await expect(get("/cases")).rejects.toMatchObject({ status: 502, code: "http" });
    serve(answer(412, { status: 412, code: "case.stale", title: "" }));
    await expect(post("/cases", {})).rejects.toMatchObject({ stale: true });
  });
});

it("builds addresses without empty filters", () => {
  expect(url("/cases", { open: true, q: "", state: undefined, procedure: "plan.a b" })).toBe("/api/v1/cases?open=true&procedure=plan.a+b");
});
it("makes keys without crypto.randomUUID, as on plain HTTP", () => {
  vi.stubGlobal("crypto", { getRandomValues: (b: Uint8Array) => globalThis.crypto === undefined ? b : b.fill(255) });
  expect(uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
