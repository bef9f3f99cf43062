// The element-wise parts of training on a processor, each one pass over memory; the products between them are the matrix library's.
// Built by ops.py where there is a C compiler; ops.py holds the same functions in PyTorch, which are the reference.

#include <malloc.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef uint16_t bf16;

static inline float widen(bf16 value)
{
    union { uint32_t bits; float number; } u = { (uint32_t)value << 16 };
    return u.number;
}

static inline bf16 narrow(float value)
{
    union { float number; uint32_t bits; } u = { value };
    return (bf16)((u.bits + 0x7fff + ((u.bits >> 16) & 1)) >> 16);
}

// Keep freed buffers: giving them back to the system costs a page fault for every 4 KiB of the next one.
void keep_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 2147483647);
    mallopt(M_TOP_PAD, 64 << 20);
}

void embed(long n, long d, const int64_t *ids, const bf16 *table, float *x)
{
    for (long t = 0; t < n; t++)
        for (long i = 0; i < d; i++) x[t * d + i] = widen(table[ids[t] * d + i]);
}

void embed_backward(long n, long d, const int64_t *ids, const float *dx, float *dtable)
{
    for (long t = 0; t < n; t++)
        for (long i = 0; i < d; i++) dtable[ids[t] * d + i] += dx[t * d + i];
}

void add(long n, const bf16 *y, float *x)
{
    for (long i = 0; i < n; i++) x[i] += widen(y[i]);
}

void narrow_all(long n, const float *x, bf16 *y)
{
    for (long i = 0; i < n; i++) y[i] = narrow(x[i]);
}

void norm(long n, long d, float epsilon, const float *x, const float *gain, bf16 *h, float *inverse)
{
    for (long t = 0; t < n; t++, x += d, h += d) {
        float sum = 0;
        for (long i = 0; i < d; i++) sum += x[i] * x[i];
        float r = inverse[t] = 1 / sqrtf(sum / d + epsilon);
        for (long i = 0; i < d; i++) h[i] = narrow(x[i] * r * gain[i]);
    }
}

void norm_backward(long n, long d, const bf16 *dh, const float *x, const float *gain, const float *inverse, float *dx, float *dgain)
{
    for (long t = 0; t < n; t++, x += d, dh += d, dx += d) {
        float r = inverse[t], dot = 0;
        for (long i = 0; i < d; i++) dot += widen(dh[i]) * gain[i] * x[i];
        float back = dot * r * r / d;
        for (long i = 0; i < d; i++) {
            float g = widen(dh[i]);
            dgain[i] += g * x[i] * r;
            dx[i] += r * (g * gain[i] - x[i] * back);
        }
    }
}

// One head's rows between [token][stride] and [token][size], turning neighbouring pairs by the angles of `turn` [token][size]: cos, sin.
static void turn_rows(long s, long size, const float *turn, float sign, const bf16 *from, long from_stride, bf16 *to, long to_stride)
{
    for (long t = 0; t < s; t++, from += from_stride, to += to_stride, turn += size)
        for (long i = 0; i < size; i += 2) {
            float a = widen(from[i]), b = widen(from[i + 1]), c = turn[i], d = turn[i + 1] * sign;
            to[i] = narrow(a * c - b * d);
            to[i + 1] = narrow(a * d + b * c);
        }
}

static void copy_rows(long s, long size, const bf16 *from, long from_stride, bf16 *to, long to_stride)
{
    for (long t = 0; t < s; t++, from += from_stride, to += to_stride) memcpy(to, from, size * sizeof(bf16));
}

// [batch][token][q heads, k heads, v heads] to q, k, v [batch][head][token], q and k turned.
void split(long batch, long s, long heads, long kv, long size, const bf16 *qkv, const float *turn, bf16 *q, bf16 *k, bf16 *v)
{
    long row = (heads + 2 * kv) * size, block = s * size;
    for (long b = 0; b < batch; b++, qkv += s * row) {
        for (long h = 0; h < heads; h++, q += block) turn_rows(s, size, turn, 1, qkv + h * size, row, q, size);
        for (long h = 0; h < kv; h++, k += block) turn_rows(s, size, turn, 1, qkv + (heads + h) * size, row, k, size);
        for (long h = 0; h < kv; h++, v += block) copy_rows(s, size, qkv + (heads + kv + h) * size, row, v, size);
    }
}

void split_backward(long batch, long s, long heads, long kv, long size, const bf16 *dq, const bf16 *dk, const bf16 *dv, const float *turn, bf16 *dqkv)
{
    long row = (heads + 2 * kv) * size, block = s * size;
    for (long b = 0; b < batch; b++, dqkv += s * row) {
        for (long h = 0; h < heads; h++, dq += block) turn_rows(s, size, turn, -1, dq, size, dqkv + h * size, row);
        for (long h = 0; h < kv; h++, dk += block) turn_rows(s, size, turn, -1, dk, size, dqkv + (heads + h) * size, row);
        for (long h = 0; h < kv; h++, dv += block) copy_rows(s, size, dv, size, dqkv + (heads + kv + h) * size, row);
    }
}

void join(long batch, long s, long heads, long size, const bf16 *from, bf16 *to)
{
    for (long b = 0; b < batch; b++, to += s * heads * size)
        for (long h = 0; h < heads; h++, from += s * size) copy_rows(s, size, from, size, to + h * size, heads * size);
}

void join_backward(long batch, long s, long heads, long size, const bf16 *dto, bf16 *dfrom)
{
    for (long b = 0; b < batch; b++, dto += s * heads * size)
        for (long h = 0; h < heads; h++, dfrom += s * size) copy_rows(s, size, dto + h * size, heads * size, dfrom, size);
}

// In place over matrices [s][s]: scores to causal probabilities.
void softmax(long matrices, long s, float scale, bf16 *p)
{
    float row[s];
    for (long m = 0; m < matrices; m++)
        for (long i = 0; i < s; i++, p += s) {
            float top = -INFINITY, sum = 0;
            for (long j = 0; j <= i; j++) { row[j] = widen(p[j]) * scale; top = row[j] > top ? row[j] : top; }
            for (long j = 0; j <= i; j++) { row[j] = expf(row[j] - top); sum += row[j]; }
            sum = 1 / sum;
            for (long j = 0; j <= i; j++) p[j] = narrow(row[j] * sum);
            memset(p + i + 1, 0, (s - 1 - i) * sizeof(bf16));
        }
}

void softmax_backward(long matrices, long s, float scale, const bf16 *p, bf16 *dp)
{
    for (long m = 0; m < matrices; m++)
        for (long i = 0; i < s; i++, p += s, dp += s) {
            float dot = 0;
            for (long j = 0; j <= i; j++) dot += widen(p[j]) * widen(dp[j]);
            for (long j = 0; j <= i; j++) dp[j] = narrow(widen(p[j]) * (widen(dp[j]) - dot) * scale);
            memset(dp + i + 1, 0, (s - 1 - i) * sizeof(bf16));
        }
}

// [token][gate, up] to silu(gate) * up.
void swiglu(long n, long f, const bf16 *gu, bf16 *a)
{
    for (long t = 0; t < n; t++, gu += 2 * f, a += f)
        for (long i = 0; i < f; i++) {
            float g = widen(gu[i]);
            a[i] = narrow(g / (1 + expf(-g)) * widen(gu[f + i]));
        }
}

void swiglu_backward(long n, long f, const bf16 *gu, const bf16 *da, bf16 *dgu)
{
    for (long t = 0; t < n; t++, gu += 2 * f, dgu += 2 * f, da += f)
        for (long i = 0; i < f; i++) {
            float g = widen(gu[i]), d = widen(da[i]), s = 1 / (1 + expf(-g));
            dgu[i] = narrow(d * widen(gu[f + i]) * s * (1 + g * (1 - s)));
            dgu[f + i] = narrow(d * g * s);
        }
}

// In place: logits to the gradient of the mean loss; returns the summed loss in nats. A target below zero is not scored.
double cross_entropy(long n, long v, float scale, const int64_t *targets, bf16 *logits)
{
    double loss = 0;
    float row[v];
    for (long t = 0; t < n; t++, logits += v) {
        if (targets[t] < 0) { memset(logits, 0, v * sizeof(bf16)); continue; }
        float top = -INFINITY, sum = 0, wanted = widen(logits[targets[t]]);
        for (long i = 0; i < v; i++) { row[i] = widen(logits[i]); top = row[i] > top ? row[i] : top; }
        for (long i = 0; i < v; i++) { row[i] = expf(row[i] - top); sum += row[i]; }
        float factor = scale / sum;
        for (long i = 0; i < v; i++) logits[i] = narrow(row[i] * factor);
        logits[targets[t]] = narrow((expf(wanted - top) / sum - 1) * scale);
        loss += (double)(logf(sum) + top - wanted);
    }
    return loss;
}
