// LD_PRELOAD: from the N-th write below a folder on, all fail as on a full disk. The file
// FAULTS_STATE holds two longs (writes so far; N, or 0 for never) and the folder.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static struct { volatile long count, at; char folder[PATH_MAX]; } *S;

__attribute__((constructor)) static void map(void) {
  const char *file = getenv("FAULTS_STATE");
  int fd = file ? REAL(open)(file, O_RDWR | O_CLOEXEC) : -1;
  void *at = fd < 0 ? MAP_FAILED : mmap(0, sizeof *S, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at != MAP_FAILED) S = at;
}

static int full(const char *path, int dir) { // a path of NULL: the file that `dir` describes
  char link[64], base[PATH_MAX] = "", whole[PATH_MAX * 2];
  if (!S || (!path && dir < 0)) return 0;
  if (!path || path[0] != '/') {
    snprintf(link, sizeof link, dir == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", dir);
    if (readlink(link, base, PATH_MAX - 1) < 0) return 0;
  }
  const char *between = path && path[0] != '/' ? "/" : "";
  snprintf(whole, sizeof whole, "%s%s%s", base, between, path ? path : "");
  if (!S->folder[0] || strncmp(whole, S->folder, strlen(S->folder))) return 0;
  long count = __sync_add_and_fetch(&S->count, 1);
  if (!S->at || count < S->at) return 0;
  errno = ENOSPC;
  return 1;
}

#define FAILS(path, dir) ((flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) && full(path, dir))
#define MODE va_list a; va_start(a, flags); mode_t mode = va_arg(a, mode_t); va_end(a);
#define OPEN(name) int name(const char *path, int flags, ...) { \
  MODE return FAILS(path, AT_FDCWD) ? -1 : REAL(name)(path, flags, mode); }
#define OPENAT(name) int name(int dir, const char *path, int flags, ...) { \
  MODE return FAILS(path, dir) ? -1 : REAL(name)(dir, path, flags, mode); }
OPEN(open) OPEN(open64) OPENAT(openat) OPENAT(openat64)
#define OF_FILE(type, name, more, ...) \
  type name(int fd more) { return full(0, fd) ? -1 : REAL(name)(__VA_ARGS__); }
#define AND ,
OF_FILE(ssize_t, write, AND const void *b AND size_t n, fd, b, n)
OF_FILE(ssize_t, pwrite64, AND const void *b AND size_t n AND off64_t o, fd, b, n, o)
OF_FILE(int, fsync, , fd)
int rename(const char *a, const char *b) { return full(b, AT_FDCWD) ? -1 : REAL(rename)(a, b); }
int mkdir(const char *p, mode_t m) { return full(p, AT_FDCWD) ? -1 : REAL(mkdir)(p, m); }
