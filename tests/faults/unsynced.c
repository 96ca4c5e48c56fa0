// Remembers what a disk would still hold after a power cut. Preloaded into the server: after each
// successful fsync or fdatasync of a database file, its content is copied to CW_SHADOW/<name>.
// The caller gets its answer only after the copy stands, so whatever the server acknowledges
// afterwards is in the shadow exactly when it was synced. Safe from any thread.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t shadow_mutex = PTHREAD_MUTEX_INITIALIZER;

// Keep in step with powercut.py: names with ".db", without the shared index and the reserve.
static int is_modelled(const char* name) {
  return strstr(name, ".db") && !strstr(name, "-shm") && !strstr(name, ".reserve");
}

static void copy_to(int fd, const char* shadow, const char* name) {
  char ready[8192], draft[8200];
  snprintf(ready, sizeof ready, "%s/%s", shadow, name);
  snprintf(draft, sizeof draft, "%s.new", ready);
  int out = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (out < 0) abort();
  static char block[1 << 18];
  off_t at = 0;
  for (ssize_t n; (n = pread(fd, block, sizeof block, at)) > 0; at += n)
    if (write(out, block, (size_t)n) != n) abort();
  close(out);
  if (rename(draft, ready) != 0) abort();  // a kill in between leaves the sync before this one
}

static void remember(int fd) {
  const char* shadow = getenv("CW_SHADOW");
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, path, sizeof path - 1);
  if (!shadow || size <= 0) return;
  path[size] = '\0';
  const char* name = strrchr(path, '/');
  if (!name || !is_modelled(++name)) return;
  pthread_mutex_lock(&shadow_mutex);
  copy_to(fd, shadow, name);
  pthread_mutex_unlock(&shadow_mutex);
}

static int synced(const char* call, int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, call);
  int result = real(fd), error = errno;
  if (result == 0) remember(fd);
  errno = error;
  return result;
}

int fsync(int fd) { return synced("fsync", fd); }
int fdatasync(int fd) { return synced("fdatasync", fd); }
