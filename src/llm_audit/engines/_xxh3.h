/* The 64-bit XXH3 hash with a seed, after its specification; the package xxhash gives the same in Python. */
#ifndef LLM_AUDIT_XXH3_H
#define LLM_AUDIT_XXH3_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#if !defined(__SIZEOF_INT128__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "needs 128-bit products and little-endian words; the Python form is used instead"
#endif

#define PRIME32_1 0x9E3779B1U
#define PRIME32_2 0x85EBCA77U
#define PRIME32_3 0xC2B2AE3DU
#define PRIME64_1 0x9E3779B185EBCA87U
#define PRIME64_2 0xC2B2AE3D27D4EB4FU
#define PRIME64_3 0x165667B19E3779F9U
#define PRIME64_4 0x85EBCA77C2B2AE63U
#define PRIME64_5 0x27D4EB2F165667C5U
#define PRIME_MX1 0x165667919E3779F9U
#define PRIME_MX2 0x9FB21C651E98DF25U

#define SECRET 192 /* bytes */
#define STRIPE 64 /* bytes that are mixed in at once */
#define LANES 8 /* of a stripe, and bytes of the secret from one stripe to the next */
#define STRIPES ((SECRET - STRIPE) / LANES) /* of a block */

static const uint64_t secret_words[SECRET / 8] = {
    0xBE4BA423396CFEB8U, 0x1CAD21F72C81017CU, 0xDB979083E96DD4DEU, 0x1F67B3B7A4A44072U, 0x78E5C0CC4EE679CBU,
    0x2172FFCC7DD05A82U, 0x8E2443F7744608B8U, 0x4C263A81E69035E0U, 0xCB00C391BB52283CU, 0xA32E531B8B65D088U,
    0x4EF90DA297486471U, 0xD8ACDEA946EF1938U, 0x3F349CE33F76FAA8U, 0x1D4F0BC7C7BBDCF9U, 0x3159B4CD4BE0518AU,
    0x647378D9C97E9FC8U, 0xC3EBD33483ACC5EAU, 0xEB6313FAFFA081C5U, 0x49DAF0B751DD0D17U, 0x9E68D429265516D3U,
    0xFCA1477D58BE162BU, 0xCE31D07AD1B8F88FU, 0x280416958F3ACB45U, 0x7E404BBBCAFBD7AFU};
#define WORDS ((const uint8_t *)secret_words)

static uint64_t read64(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

static uint64_t read32(const uint8_t *at) {
    uint32_t word;
    memcpy(&word, at, 4);
    return word;
}

static uint64_t rotated(uint64_t h, int by) { return h << by | h >> (64 - by); }

static uint64_t product(uint64_t a, uint64_t b) {
    __uint128_t full = (__uint128_t)a * b;
    return (uint64_t)full ^ (uint64_t)(full >> 64);
}

static uint64_t avalanche(uint64_t h) {
    h = (h ^ h >> 37) * PRIME_MX1;
    return h ^ h >> 32;
}

static uint64_t avalanche_of_few(uint64_t h) {
    h = (h ^ h >> 33) * PRIME64_2;
    h = (h ^ h >> 29) * PRIME64_3;
    return h ^ h >> 32;
}

static uint64_t mix16(const uint8_t *data, const uint8_t *secret, uint64_t seed) {
    return product(read64(data) ^ (read64(secret) + seed), read64(data + 8) ^ (read64(secret + 8) - seed));
}

static uint64_t hash_of_few(const uint8_t *data, size_t length, uint64_t seed) {
    if (length > 8) {
        uint64_t low = read64(data) ^ ((read64(WORDS + 24) ^ read64(WORDS + 32)) + seed);
        uint64_t high = read64(data + length - 8) ^ ((read64(WORDS + 40) ^ read64(WORDS + 48)) - seed);
        return avalanche(length + __builtin_bswap64(low) + high + product(low, high));
    }
    if (length > 3) {
        seed ^= (uint64_t)__builtin_bswap32((uint32_t)seed) << 32;
        uint64_t h = (read32(data + length - 4) + (read32(data) << 32)) ^ ((read64(WORDS + 8) ^ read64(WORDS + 16)) - seed);
        h = (h ^ rotated(h, 49) ^ rotated(h, 24)) * PRIME_MX2;
        h = (h ^ ((h >> 35) + length)) * PRIME_MX2;
        return h ^ h >> 28;
    }
    if (!length) return avalanche_of_few(seed ^ read64(WORDS + 56) ^ read64(WORDS + 64));
    uint32_t joined = (uint32_t)data[0] << 16 | (uint32_t)data[length >> 1] << 24 | data[length - 1] | (uint32_t)length << 8;
    return avalanche_of_few(joined ^ ((read32(WORDS) ^ read32(WORDS + 4)) + seed));
}

static uint64_t hash_of_some(const uint8_t *data, size_t length, uint64_t seed) {
    uint64_t h = length * PRIME64_1;
    if (length <= 128) {
        for (size_t k = (length - 1) / 32 + 1; k--;) {
            h += mix16(data + 16 * k, WORDS + 32 * k, seed);
            h += mix16(data + length - 16 * (k + 1), WORDS + 32 * k + 16, seed);
        }
        return avalanche(h);
    }
    for (size_t k = 0; k < 8; k++) h += mix16(data + 16 * k, WORDS + 16 * k, seed);
    h = avalanche(h);
    for (size_t k = 8; k < length / 16; k++) h += mix16(data + 16 * k, WORDS + 16 * (k - 8) + 3, seed);
    return avalanche(h + mix16(data + length - 16, WORDS + 136 - 17, seed));
}

static void add_stripe(uint64_t *lanes, const uint8_t *data, const uint8_t *secret) {
#ifdef __SSE2__
    for (int k = 0; k < LANES; k += 2) { /* two at once */
        __m128i words = _mm_loadu_si128((const __m128i *)(data + 8 * k));
        __m128i keys = _mm_xor_si128(words, _mm_loadu_si128((const __m128i *)(secret + 8 * k)));
        __m128i products = _mm_mul_epu32(keys, _mm_srli_epi64(keys, 32)), swapped = _mm_shuffle_epi32(words, 0x4E);
        __m128i *to = (__m128i *)(lanes + k);
        _mm_storeu_si128(to, _mm_add_epi64(_mm_loadu_si128(to), _mm_add_epi64(products, swapped)));
    }
#else
    for (int k = 0; k < LANES; k++) {
        uint64_t word = read64(data + 8 * k), key = word ^ read64(secret + 8 * k);
        lanes[k ^ 1] += word;
        lanes[k] += (key & 0xFFFFFFFFU) * (key >> 32);
    }
#endif
}

static uint64_t hash_of_many(const uint8_t *data, size_t length, uint64_t seed) {
    uint64_t words[SECRET / 8];
    uint64_t lanes[LANES] = {PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1};
    for (int k = 0; k < SECRET / 8; k++) words[k] = k & 1 ? secret_words[k] - seed : secret_words[k] + seed;
    const uint8_t *secret = (const uint8_t *)words;
    size_t stripes = (length - 1) / STRIPE;
    for (size_t n = 0; n < stripes; n++) {
        add_stripe(lanes, data + n * STRIPE, secret + n % STRIPES * LANES);
        if (n % STRIPES != STRIPES - 1) continue;
        for (int k = 0; k < LANES; k++)
            lanes[k] = (lanes[k] ^ lanes[k] >> 47 ^ read64(secret + SECRET - STRIPE + 8 * k)) * PRIME32_1;
    }
    add_stripe(lanes, data + length - STRIPE, secret + SECRET - STRIPE - 7);
    uint64_t h = length * PRIME64_1;
    for (int k = 0; k < LANES; k += 2)
        h += product(lanes[k] ^ read64(secret + 11 + 8 * k), lanes[k + 1] ^ read64(secret + 11 + 8 * (k + 1)));
    return avalanche(h);
}

static uint64_t xxh3(const void *data, size_t length, uint64_t seed) {
    return length <= 16 ? hash_of_few(data, length, seed)
         : length <= 240 ? hash_of_some(data, length, seed)
                         : hash_of_many(data, length, seed);
}

#endif
