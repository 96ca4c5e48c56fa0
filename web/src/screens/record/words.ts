// Words that only these screens need, loaded with them.
import { addWords } from "@/shared/text";

await addWords({ zh: () => import("@/locales/record/zh.json"), en: () => import("@/locales/record/en.json") });
