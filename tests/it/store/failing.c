/* Makes system calls fail below one directory, from the nth on: loaded before the C library (LD_PRELOAD).
 *
 * RASID_FAIL_BELOW  the directory
 * RASID_FAIL_CALL   sync (fsync, fdatasync, sync_file_range), write (write, pwrite and their kin), short (the same write
 *                   half of what they are given, and say so)
 * RASID_FAIL_AFTER  how many such calls go well
 * RASID_FAIL_TIMES  how many fail then; 0: all
 * RASID_FAIL_ERRNO  with which error
 *
 * The first that fails is told on standard output: "rasid: struck".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;

static long number(const char *name) {
    const char *value = getenv(name);
    return value ? atol(value) : 0;
}

static int below(int fd) {
    const char *directory = getenv("RASID_FAIL_BELOW");
    char link[64], path[PATH_MAX];
    if (!directory) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strncmp(path, directory, strlen(directory)) == 0;
}

/* Whether this call is to fail. */
static int strikes(const char *call, int fd) {
    const char *chosen = getenv("RASID_FAIL_CALL");
    int saved = errno;
    int strike = 0;
    if (chosen && strcmp(chosen, call) == 0 && below(fd)) {
        long n = atomic_fetch_add(&calls, 1), after = number("RASID_FAIL_AFTER"), times = number("RASID_FAIL_TIMES");
        strike = n >= after && (times == 0 || n < after + times);
        if (strike && n == after) {
            static const char told[] = "\nrasid: struck\n";
            syscall(SYS_write, 1, told, sizeof told - 1);
        }
    }
    errno = saved;
    return strike;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL return (errno = (int)number("RASID_FAIL_ERRNO"), -1)
/* At least one byte: nothing written means something else. */
#define HALF(length) ((length) < 2 ? (length) : (length) / 2)

int fsync(int fd) {
    if (strikes("sync", fd)) FAIL;
    return NEXT(fsync)(fd);
}

int fdatasync(int fd) {
    if (strikes("sync", fd)) FAIL;
    return NEXT(fdatasync)(fd);
}

int sync_file_range(int fd, off64_t offset, off64_t length, unsigned int flags) {
    if (strikes("sync", fd)) FAIL;
    return NEXT(sync_file_range)(fd, offset, length, flags);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    if (strikes("write", fd)) FAIL;
    if (strikes("short", fd)) length = HALF(length);
    return NEXT(write)(fd, bytes, length);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    if (strikes("write", fd)) FAIL;
    if (strikes("short", fd)) length = HALF(length);
    return NEXT(pwrite)(fd, bytes, length, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    if (strikes("write", fd)) FAIL;
    if (strikes("short", fd)) length = HALF(length);
    return NEXT(pwrite64)(fd, bytes, length, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (strikes("write", fd)) FAIL;
    if (count > 0 && strikes("short", fd)) return NEXT(write)(fd, parts[0].iov_base, HALF(parts[0].iov_len));
    return NEXT(writev)(fd, parts, count);
}

ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t length, unsigned int flags) {
    if (strikes("write", to)) FAIL;
    if (strikes("short", to)) length = HALF(length);
    return NEXT(copy_file_range)(from, from_offset, to, to_offset, length, flags);
}

ssize_t sendfile64(int to, int from, off64_t *offset, size_t length) {
    if (strikes("write", to)) FAIL;
    if (strikes("short", to)) length = HALF(length);
    ssize_t (*next)(int, int, off64_t *, size_t) = dlsym(RTLD_NEXT, "sendfile64");
    return next(to, from, offset, length);
}
