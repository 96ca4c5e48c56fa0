// Words that only these screens need, loaded with them.
import { addWords } from "@/shared/text";

await addWords({ zh: () => import("@/locales/people/zh.json"), en: () => import("@/locales/people/en.json") });
