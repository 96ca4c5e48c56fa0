// Server state. Nothing refreshes behind the reader's back: lists wait for 「有 3 条更新」, records
// follow their own events (live.ts).
import { QueryClient } from "@tanstack/vue-query";
import { Problem } from "./http";

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      shallow: true,  // what the server said is replaced, never changed: no proxies around its rows
      staleTime: 15_000,
      gcTime: 5 * 60_000,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      retry: (n, error) => n < 2 && error instanceof Problem && (error.status === 0 || error.status === 503),
    },
  },
});
