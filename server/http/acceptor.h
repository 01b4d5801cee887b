// Takes connections and deals them out among libmicrohttpd's I/O threads. Its threads, left to themselves, each take what they
// can get: of thirty clients that come at once one thread has all of them, and the other nothing to do.
#pragma once
#include <stdatomic.h>

struct MHD_Daemon;
typedef struct Acceptor Acceptor;

// The daemon has no listener of its own, and room for `most` connections in each thread. `open`: connections now; `begun`:
// that it ever began with. While `most` are open others wait in the listener's queue. All is borrowed. ERR_NO_MEMORY,
// ERR_UNAVAILABLE.
int acceptor_create(struct MHD_Daemon *daemon, int listener, const atomic_int *open,
                    const atomic_int *begun, int most, Acceptor **ret_acceptor);
void acceptor_destroy(Acceptor *acceptor); // takes none any more; takes NULL
