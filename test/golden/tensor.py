"""Writes tensor.json: what numpy and scipy say of the functions in src/tensor. Run by hand: python3 tensor.py"""
import json, os
import numpy as np, scipy
from scipy import stats, linalg, special

def xoshiro128starstar(seed, n):
    """Blackman and Vigna's reference, filled by splitmix32 as in src/tensor/random.ts."""
    m = 0xFFFFFFFF
    s = seed & m
    state = []
    for _ in range(4):
        s = (s + 0x9E3779B9) & m
        z = s
        z = ((z ^ (z >> 16)) * 0x21F0AAAD) & m
        z = ((z ^ (z >> 15)) * 0x735A2D97) & m
        state.append(z ^ (z >> 15))
    rotl = lambda x, k: ((x << k) | (x >> (32 - k))) & m
    out = []
    for _ in range(n):
        out.append((rotl((state[1] * 5) & m, 7) * 9) & m)
        t = (state[1] << 9) & m
        state[2] ^= state[0]; state[3] ^= state[1]; state[1] ^= state[2]; state[0] ^= state[3]
        state[2] ^= t
        state[3] = rotl(state[3], 11)
    return out

rng = np.random.default_rng(7)
a = np.round(rng.normal(size=60), 1)
b = np.round(0.6 * a + 0.5 * rng.normal(size=60), 1)
X = np.round(rng.normal(size=(12, 4)), 3)
y = np.round(rng.normal(size=12), 3)
w = np.round(rng.uniform(0.2, 2, size=12), 3)
S = X.T @ X + np.eye(4)
ps = [0.001, 0.025, 0.05, 0.1, 0.3, 0.5, 0.8, 0.95, 0.999]
xs = [-6, -3.2, -1.5, -0.3, 0.7, 1.74, 2.5, 4]
dfs = [0.7, 1, 2, 3.5, 7, 30, 250]
wil = lambda k, n, c: [float(v) for v in stats.binomtest(k, n).proportion_ci(c, method="wilson")]
golden = {
    "program": f"numpy {np.__version__}, scipy {scipy.__version__}",
    "xoshiro": {"seed": 42, "values": xoshiro128starstar(42, 8)},
    "a": a.tolist(), "b": b.tolist(),
    "median": float(np.median(a)), "mad": float(stats.median_abs_deviation(a)),
    "standardDeviation": float(np.std(a, ddof=1)),
    "quantiles": [[p, float(np.quantile(a, p))] for p in ps],
    "ranks": stats.rankdata(a).tolist(),
    "spearman": float(stats.spearmanr(a, b).statistic),
    "kendall": float(stats.kendalltau(a, b).statistic),
    "pearson": float(stats.pearsonr(a, b).statistic),
    "wilson": [[k, n, c, *wil(k, n, c)] for k, n, c in [(0, 10, .9), (3, 10, .95), (27, 30, .95), (30, 30, .9)]],
    "normalCdf": [[x, float(stats.norm.cdf(x))] for x in xs],
    "normalQuantile": [[p, float(stats.norm.ppf(p))] for p in ps],
    "tCdf": [[x, d, float(stats.t.cdf(x, d))] for x in xs for d in dfs],
    "tQuantile": [[p, d, float(stats.t.ppf(p, d))] for p in ps for d in dfs],
    "logGamma": [[x, float(special.gammaln(x))] for x in [0.1, 0.5, 1, 1.5, 4, 30.2, 400]],
    "X": X.ravel().tolist(), "y": y.tolist(), "w": w.tolist(), "S": S.ravel().tolist(),
    "cholesky": linalg.cholesky(S, lower=True).ravel().tolist(),
    "inverse": linalg.inv(S).ravel().tolist(),
    "logDeterminant": float(np.linalg.slogdet(S)[1]),
    "solution": linalg.solve(S, y[:4]).tolist(),
    "leastSquares": np.linalg.lstsq(X, y, rcond=None)[0].tolist(),
    "weightedLeastSquares": np.linalg.lstsq(X * np.sqrt(w)[:, None], y * np.sqrt(w), rcond=None)[0].tolist(),
    "weightedProduct": (X.T @ np.diag(w) @ X).ravel().tolist(),
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "tensor.json"), "w") as f:
    json.dump(golden, f, indent=1)
    f.write("\n")
