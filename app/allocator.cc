// How jemalloc, the allocator of this program, is set up: it reads the text below when it starts
// (jemalloc(3), TUNING). Most of what is allocated by one thread is freed by another (ADR 22).

extern "C" {
// A few arenas however many cores there are, and memory that is not used goes back soon.
extern const char* const malloc_conf;  // NOLINT(readability-identifier-naming): jemalloc's
const char* const malloc_conf =        // NOLINT(readability-identifier-naming): the same
    "narenas:4,background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0";
}
