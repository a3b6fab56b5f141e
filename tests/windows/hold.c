// Keeps a file from being opened by anybody else until its standard input ends: a log locked by another process.
#include <stdio.h>
#include <windows.h>

int main(int argc, char **argv) {
    HANDLE file = argc == 2 ? CreateFileA(argv[1], GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL) : INVALID_HANDLE_VALUE;
    if (file == INVALID_HANDLE_VALUE) {
        return 1;
    }
    puts("held");
    fflush(stdout);
    while (getchar() != EOF) {
    }
    return 0;
}
