"""Writes gaussian-mixture.json: Gaussian-process regression by numpy, for src/predict/published/gaussian-mixture.ts.
Run by hand: python3 gaussian-mixture.py"""
import json, os
import numpy as np

random = np.random.default_rng(7)
n, m, columns, platforms = 9, 5, 4, 3
views = [[0, 1, 2, 3], [0, 2]]
counts, test_counts = random.normal(size=(n, columns)), random.normal(size=(m, columns))
shared, test_shared = random.normal(size=(n, platforms)), random.normal(size=(m, platforms))
log_ms = 1.5 + 0.4 * counts[:, 0] + 0.1 * random.normal(size=n)
own = np.linspace(0, 0.02, n)
unit, level = 0.09, 0.3
hypotheses = [
    {"view": 0, "shared": 1.0, "linear": 0.3, "smooth": 0.1, "noise": 0.04},
    {"view": 1, "shared": 0.0, "linear": 3.0, "smooth": 1.0, "noise": 0.01},
    {"view": 1, "shared": 3.0, "linear": 0.03, "smooth": 0.01, "noise": 0.49},
]
prior = np.array([0.2, 0.5, 0.3])


def covariance(a, sa, b, sb, h):
    x, y = a[:, views[h["view"]]], b[:, views[h["view"]]]
    square = ((x[:, None, :] - y[None, :, :]) ** 2).mean(axis=2)
    linear = x @ y.T / x.shape[1]
    return unit * (level + h["shared"] * (sa @ sb.T) / platforms + h["linear"] * linear
                   + h["smooth"] * np.exp(-square / 2))


residual = log_ms - log_ms.mean()
log_weight, means, variances = [], [], []
for weight, h in zip(prior, hypotheses):
    K = covariance(counts, shared, counts, shared, h) + np.diag(unit * h["noise"] + own)
    k = covariance(test_counts, test_shared, counts, shared, h)
    log_weight.append(np.log(weight) - 0.5 * (residual @ np.linalg.solve(K, residual) + np.linalg.slogdet(K)[1]))
    means.append(log_ms.mean() + k @ np.linalg.solve(K, residual))
    at = np.diag(covariance(test_counts, test_shared, test_counts, test_shared, h))
    variances.append(at + unit * h["noise"] - np.einsum("ij,ji->i", k, np.linalg.solve(K, k.T)))
weights = np.exp(np.array(log_weight) - max(log_weight))
weights /= weights.sum()
mean = weights @ np.array(means)
variance = weights @ (np.array(variances) + np.array(means) ** 2) - mean**2

flat = lambda array: np.asarray(array).ravel().tolist()
with open(os.path.join(os.path.dirname(__file__), "gaussian-mixture.json"), "w") as file:
    json.dump({
        "by": f"numpy {np.__version__}", "unit": unit, "views": views, "hypotheses": hypotheses,
        "prior": flat(prior), "counts": flat(counts), "shared": flat(shared), "logMs": flat(log_ms),
        "ownVariance": flat(own), "testCounts": flat(test_counts), "testShared": flat(test_shared),
        "weights": flat(weights), "mean": flat(mean), "variance": flat(variance),
    }, file, indent=1)
    file.write("\n")
