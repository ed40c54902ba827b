/* Stands between a program and the C library: logs, or fails, what changes files below a folder.
 *
 * The environment says what to do, and may change while the program runs:
 *   FAULTS_FOLDER  only what lies below this folder is looked at
 *   FAULTS_LOG     a file to append every operation to that succeeded
 *   FAULTS_AT      the number, from 1, of the operation that fails
 *   FAULTS_ERRNO   the error that it fails with
 *   FAULTS_EVER    where set, all operations of the same kind fail from then on
 *   FAULTS_COUNT   a file to append to, at `_exit`, how many operations there were
 *
 * A line of the log has seven fields with a tab after each: kind, inode, two numbers, the length of
 * the data, and two paths. The data and a newline follow. The two numbers are
 *   of a create    the mode
 *   of a write     where it begins, and whether it is on disk when it returns
 *   of a truncate  the new size
 *   of a touch     the mode, and the time of the last change in nanoseconds
 * and the second path is the new one of a rename or link, and the target of a symlink.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define CLONE_FILE 0x40049409UL
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

enum kind { OPEN, WRITE, SYNC, RENAME, UNLINK, MKDIR, LINK, TRUNCATE, TOUCH, CLOSE };

static int operations;
static int failing = -1;

/* -- what it is about --------------------------------------------------------------------------- */

static int is_below(const char *path) {
    const char *folder = getenv("FAULTS_FOLDER");
    size_t size = folder ? strlen(folder) : 0;
    return size && !strncmp(path, folder, size) && (path[size] == '/' || !path[size]);
}

static int path_of(int descriptor, char *found) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t size = readlink(link, found, PATH_MAX - 1);
    found[size < 0 ? 0 : size] = 0;
    return size >= 0 && is_below(found);
}

static int whole(int folder, const char *path, char *found) {
    char start[PATH_MAX];
    if (path[0] == '/') {
        snprintf(found, PATH_MAX, "%s", path);
    } else {
        if (folder == AT_FDCWD ? !getcwd(start, sizeof start) : (path_of(folder, start), !start[0]))
            return 0;
        if (snprintf(found, PATH_MAX, "%s/%s", start, path) >= PATH_MAX)
            return 0;
    }
    return is_below(found);
}

/* -- failing ------------------------------------------------------------------------------------ */

static int fails(enum kind kind) {
    const char *at = getenv("FAULTS_AT");
    int number = __atomic_add_fetch(&operations, 1, __ATOMIC_SEQ_CST);
    if (!at)
        return 0;
    if (number == atoi(at))
        failing = kind;
    if (number != atoi(at) && !(getenv("FAULTS_EVER") && failing == (int)kind))
        return 0;
    errno = atoi(getenv("FAULTS_ERRNO"));
    return 1;
}

void _exit(int status) {
    const char *name = getenv("FAULTS_COUNT");
    int flags = O_WRONLY | O_CREAT | O_APPEND;
    int descriptor = name ? syscall(SYS_openat, AT_FDCWD, name, flags, 0600) : -1;
    if (descriptor >= 0)
        dprintf(descriptor, "%d\n", operations);
    for (;;)
        syscall(SYS_exit_group, status);
}

/* -- logging ------------------------------------------------------------------------------------ */

static void log_data(const char *kind, struct stat *status, long long first, long long second,
                     const char *path, const char *other, const struct iovec *data, size_t size) {
    const char *name = getenv("FAULTS_LOG");
    if (!name)
        return;
    char head[2 * PATH_MAX + 200], *bytes = malloc(sizeof head + size + 1);
    size_t length = snprintf(bytes, sizeof head, "%s\t%llu\t%lld\t%lld\t%zu\t%s\t%s\t", kind,
                             status ? (unsigned long long)status->st_ino : 0, first, second, size,
                             path, other);
    for (size_t left = size, part; left; left -= part, data++) {
        part = data->iov_len < left ? data->iov_len : left;
        memcpy(bytes + length, data->iov_base, part);
        length += part;
    }
    bytes[length++] = '\n';
    int saved = errno;
    int descriptor = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND, 0600);
    /* A log with a gap would make a file system that never was. */
    if (syscall(SYS_write, descriptor, bytes, length) != (long)length)
        abort();
    syscall(SYS_close, descriptor);
    free(bytes);
    errno = saved;
}

static void log_change(const char *kind, const char *path, const char *other) {
    struct stat status;
    int known = !fstatat(AT_FDCWD, other[0] ? other : path, &status, AT_SYMLINK_NOFOLLOW);
    log_data(kind, known ? &status : NULL, 0, 0, path, other, NULL, 0);
}

/* Mode and time of the last change, as they are now. */
static void log_status(int folder, const char *name, int flags, const char *path) {
    struct stat status;
    if (!fstatat(folder, name, &status, flags))
        log_data("touch", &status, status.st_mode,
                 status.st_mtim.tv_sec * 1000000000LL + status.st_mtim.tv_nsec, path, "", NULL, 0);
}

/* -- opening and closing ------------------------------------------------------------------------ */

static int opened(int folder, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    int writes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
    struct stat status;
    int looked_at = writes && whole(folder, name, path);
    int existed = looked_at && !fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW);
    if (looked_at && fails(OPEN))
        return -1;
    int descriptor = REAL(openat)(folder, name, flags, mode);
    if (looked_at && descriptor >= 0 && !fstat(descriptor, &status)) {
        if (!existed)
            log_data("create", &status, status.st_mode, 0, path, "", NULL, 0);
        else if (flags & O_TRUNC)
            log_data("truncate", &status, 0, 0, path, "", NULL, 0);
    }
    return descriptor;
}

#define MODE_ARGUMENT(flags, mode)                                                                 \
    mode_t mode = 0;                                                                               \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                       \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode = va_arg(rest, mode_t);                                                               \
        va_end(rest);                                                                              \
    }

int open(const char *path, int flags, ...) {
    MODE_ARGUMENT(flags, mode)
    return opened(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE_ARGUMENT(flags, mode)
    return opened(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    MODE_ARGUMENT(flags, mode)
    return opened(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    MODE_ARGUMENT(flags, mode)
    return opened(folder, path, flags, mode);
}

int close(int descriptor) {
    char path[PATH_MAX];
    /* It is what was written that can turn out to be lost. */
    int writes = (fcntl(descriptor, F_GETFL) & O_ACCMODE) != O_RDONLY;
    int failed = writes && path_of(descriptor, path) && fails(CLOSE), error = errno;
    int result = REAL(close)(descriptor);
    if (!failed)
        return result;
    errno = error; /* the descriptor is closed all the same, as Linux does it */
    return -1;
}

/* -- writing ------------------------------------------------------------------------------------ */

static void log_write(int descriptor, const char *path, const struct iovec *data, ssize_t written,
                      off_t position) {
    struct stat status;
    int flags = fcntl(descriptor, F_GETFL);
    if (written > 0 && !fstat(descriptor, &status))
        log_data("write", &status, position, flags & O_DSYNC, path, "", data, written);
}

static off_t position_before(int descriptor, ssize_t written) {
    return lseek(descriptor, 0, SEEK_CUR) - (written > 0 ? written : 0);
}

ssize_t write(int descriptor, const void *bytes, size_t size) {
    char path[PATH_MAX];
    if (!path_of(descriptor, path))
        return REAL(write)(descriptor, bytes, size);
    if (fails(WRITE))
        return -1;
    ssize_t written = REAL(write)(descriptor, bytes, size);
    struct iovec data = {(void *)bytes, size};
    log_write(descriptor, path, &data, written, position_before(descriptor, written));
    return written;
}

ssize_t writev(int descriptor, const struct iovec *data, int count) {
    char path[PATH_MAX];
    if (!path_of(descriptor, path))
        return REAL(writev)(descriptor, data, count);
    if (fails(WRITE))
        return -1;
    ssize_t written = REAL(writev)(descriptor, data, count);
    log_write(descriptor, path, data, written, position_before(descriptor, written));
    return written;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t position) {
    char path[PATH_MAX];
    if (!path_of(descriptor, path))
        return REAL(pwrite)(descriptor, bytes, size, position);
    if (fails(WRITE))
        return -1;
    ssize_t written = REAL(pwrite)(descriptor, bytes, size, position);
    struct iovec data = {(void *)bytes, size};
    log_write(descriptor, path, &data, written, position);
    return written;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off_t position) {
    return pwrite(descriptor, bytes, size, position);
}

ssize_t pwritev(int descriptor, const struct iovec *data, int count, off_t position) {
    char path[PATH_MAX];
    if (!path_of(descriptor, path))
        return REAL(pwritev)(descriptor, data, count, position);
    if (fails(WRITE))
        return -1;
    ssize_t written = REAL(pwritev)(descriptor, data, count, position);
    log_write(descriptor, path, data, written, position);
    return written;
}

ssize_t pwritev64(int descriptor, const struct iovec *data, int count, off_t position) {
    return pwritev(descriptor, data, count, position);
}

/* Blocks that two files share, and bytes that the kernel copies, would not be seen: as on a file
 * system that can do neither, they are refused, and written instead. */
int ioctl(int descriptor, unsigned long request, ...) {
    char path[PATH_MAX];
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (request != CLONE_FILE || !path_of(descriptor, path))
        return REAL(ioctl)(descriptor, request, argument);
    errno = EOPNOTSUPP;
    return -1;
}

static int set_size(int descriptor, const char *path, off_t size) {
    struct stat status;
    int result = syscall(SYS_ftruncate, descriptor, size);
    if (!result && !fstat(descriptor, &status))
        log_data("truncate", &status, size, 0, path, "", NULL, 0);
    return result;
}

int ftruncate(int descriptor, off_t size) {
    char path[PATH_MAX];
    if (!path_of(descriptor, path))
        return REAL(ftruncate)(descriptor, size);
    return fails(TRUNCATE) ? -1 : set_size(descriptor, path, size);
}

int ftruncate64(int descriptor, off_t size) { return ftruncate(descriptor, size); }

int truncate(const char *name, off_t size) {
    char path[PATH_MAX];
    if (!whole(AT_FDCWD, name, path))
        return REAL(truncate)(name, size);
    if (fails(TRUNCATE))
        return -1;
    int descriptor = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0)
        return -1;
    int result = set_size(descriptor, path, size);
    syscall(SYS_close, descriptor);
    return result;
}

int truncate64(const char *path, off_t size) { return truncate(path, size); }

/* -- bringing to disk --------------------------------------------------------------------------- */

/* Nothing is brought to disk below the folder: no power is cut, and it takes most of the time. */
static int synced(int descriptor, int (*real)(int)) {
    char path[PATH_MAX];
    struct stat status;
    if (!path_of(descriptor, path))
        return real(descriptor);
    if (fails(SYNC))
        return -1;
    if (!fstat(descriptor, &status))
        log_data("sync", &status, 0, 0, path, "", NULL, 0);
    return 0;
}

int fsync(int descriptor) { return synced(descriptor, REAL(fsync)); }

int fdatasync(int descriptor) { return synced(descriptor, REAL(fdatasync)); }

/* -- names -------------------------------------------------------------------------------------- */

int renameat(int from, const char *old, int to, const char *new) {
    char path[PATH_MAX], other[PATH_MAX];
    int looked_at = whole(from, old, path) | whole(to, new, other);
    if (looked_at && fails(RENAME))
        return -1;
    int result = REAL(renameat)(from, old, to, new);
    if (looked_at && !result)
        log_change("rename", path, other);
    return result;
}

int rename(const char *old, const char *new) { return renameat(AT_FDCWD, old, AT_FDCWD, new); }

int unlinkat(int folder, const char *name, int flags) {
    char path[PATH_MAX];
    int looked_at = whole(folder, name, path);
    if (looked_at && fails(UNLINK))
        return -1;
    int result = REAL(unlinkat)(folder, name, flags);
    if (looked_at && !result)
        log_change("unlink", path, "");
    return result;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }

int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int folder, const char *name, mode_t mode) {
    char path[PATH_MAX];
    int looked_at = whole(folder, name, path);
    if (looked_at && fails(MKDIR))
        return -1;
    int result = REAL(mkdirat)(folder, name, mode);
    if (looked_at && !result)
        log_change("mkdir", path, "");
    return result;
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int linkat(int from, const char *old, int to, const char *new, int flags) {
    char path[PATH_MAX], other[PATH_MAX];
    int looked_at = whole(from, old, path) | whole(to, new, other);
    if (looked_at && fails(LINK))
        return -1;
    int result = REAL(linkat)(from, old, to, new, flags);
    if (looked_at && !result)
        log_change("link", path, other);
    return result;
}

int link(const char *old, const char *new) { return linkat(AT_FDCWD, old, AT_FDCWD, new, 0); }

int symlinkat(const char *target, int folder, const char *name) {
    char path[PATH_MAX];
    int looked_at = whole(folder, name, path);
    if (looked_at && fails(LINK))
        return -1;
    int result = REAL(symlinkat)(target, folder, name);
    if (looked_at && !result)
        log_data("symlink", NULL, 0, 0, path, target, NULL, 0);
    return result;
}

int symlink(const char *target, const char *path) { return symlinkat(target, AT_FDCWD, path); }

/* -- modes and times ---------------------------------------------------------------------------- */

int fchmodat(int folder, const char *name, mode_t mode, int flags) {
    char path[PATH_MAX];
    int looked_at = whole(folder, name, path);
    if (looked_at && fails(TOUCH))
        return -1;
    int result = REAL(fchmodat)(folder, name, mode, flags);
    if (looked_at && !result)
        log_status(folder, name, flags & AT_SYMLINK_NOFOLLOW, path);
    return result;
}

int chmod(const char *path, mode_t mode) { return fchmodat(AT_FDCWD, path, mode, 0); }

int utimensat(int folder, const char *name, const struct timespec times[2], int flags) {
    char path[PATH_MAX];
    int looked_at = whole(folder, name, path);
    if (looked_at && fails(TOUCH))
        return -1;
    int result = REAL(utimensat)(folder, name, times, flags);
    if (looked_at && !result)
        log_status(folder, name, flags & AT_SYMLINK_NOFOLLOW, path);
    return result;
}

int fchmod(int descriptor, mode_t mode) {
    char path[PATH_MAX];
    int looked_at = path_of(descriptor, path);
    if (looked_at && fails(TOUCH))
        return -1;
    int result = REAL(fchmod)(descriptor, mode);
    if (looked_at && !result)
        log_status(descriptor, "", AT_EMPTY_PATH, path);
    return result;
}

int futimens(int descriptor, const struct timespec times[2]) {
    char path[PATH_MAX];
    int looked_at = path_of(descriptor, path);
    if (looked_at && fails(TOUCH))
        return -1;
    int result = REAL(futimens)(descriptor, times);
    if (looked_at && !result)
        log_status(descriptor, "", AT_EMPTY_PATH, path);
    return result;
}
