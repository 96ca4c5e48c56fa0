// Words that only these screens need, loaded with them.
import { addWords } from "@/shared/text";

await addWords({ zh: () => import("@/locales/account/zh.json"), en: () => import("@/locales/account/en.json") });
