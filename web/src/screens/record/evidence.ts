// Files of a case: their bytes go up as they are; the answer's hash must be the one made here.
import type { EvidenceMade } from "@/api/types";
import { Problem, request } from "@/shared/http";
import { hex } from "@/shared/ledger";
import { t } from "@/shared/text";
import { bytes } from "@/shared/time";

export const EVIDENCE_MAX = 8 * 1024 * 1024 - 4096;

export async function upload(caseId: string, file: File): Promise<EvidenceMade> {
  if (file.size > EVIDENCE_MAX) throw new Problem(413, "evidence.size", t("evidence.tooLarge", { name: file.name, size: bytes(file.size), max: bytes(EVIDENCE_MAX) }));
  const response = await request("POST", `/cases/${caseId}/evidence`, undefined, { query: { name: file.name }, raw: file });
  const made = (await response.json()) as EvidenceMade;
  if (crypto.subtle) {
    const own = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer())));
    if (own !== made.sha256) throw new Problem(-1, "evidence.hash", t("evidence.differs", { name: file.name }));
  }
  return made;
}
export const evidenceUrl = (caseId: string, content: string): string => `/api/v1/cases/${caseId}/evidence/${encodeURIComponent(content)}`;
