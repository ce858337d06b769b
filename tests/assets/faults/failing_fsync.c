/* Loaded before libc: fsync and fdatasync fail with EIO while the file that ACL_FAILING_FSYNC names
 * is there. What a disk does with the bytes, and what it keeps after power is cut, is not shown by
 * this; it shows what the program does with the error. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int failing(void) {
    const char *path = getenv("ACL_FAILING_FSYNC");
    return path != NULL && access(path, F_OK) == 0;
}

static int pass_on(const char *name, int fd) {
    if (failing()) {
        errno = EIO;
        return -1;
    }
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    return real(fd);
}

int fsync(int fd) { return pass_on("fsync", fd); }
int fdatasync(int fd) { return pass_on("fdatasync", fd); }
