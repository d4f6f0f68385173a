"""What of this process's environment a child gets. Every list of variables stands here; what is in none, tokens and keys of
others before all, stays behind.

Secrets that a job needs go another way: see `backend.providers.variables`.
"""

from __future__ import annotations

import os
import re

EXTRA = "SLMOPS_EXTRA_VARIABLES"
"""Names more variables, separated by commas, for the processes that compute: what an unusual machine needs."""
_BARE = {
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TMP", "TEMP", "VIRTUAL_ENV"),
    "LD_LIBRARY_PATH",
}
_BARE_BEGINNINGS = ("LC_", "PYTHON", "DYLD_", "COVERAGE_")
"""Python, a locale, a folder for temporary files."""
_DEVICES = (
    "CUDA_",
    "CUDNN_",
    "CUBLAS_",
    "NVIDIA_",
    "NCCL_",
    "ROCM_",
    "ROCR_",
    "HIP_",
    "HSA_",
    "ONEAPI_",
    "SYCL_",
    "ZE_",
)
_THREADS = ("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "BLIS_", "NUMEXPR_", "VECLIB_", "MALLOC_")
_LIBRARIES = (
    *("TORCH_", "TORCHINDUCTOR_", "PYTORCH_", "TRITON_", "ORT_", "OLIVE_", "FOUNDRY_", "TRANSFORMERS_", "TOKENIZERS_"),
    *("HF_", "XDG_", "SLMOPS_"),
)
_NETWORK = {
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SLMOPS_CA_FILE", "HF_ENDPOINT"),
}
"""Where and how the network is reached; an address may hold a password."""
_SECRET = re.compile(
    r"(^|_)(TOKENS?|KEYS?|SECRETS?|PASS|PASSWORDS?|CREDENTIALS?|AUTH|KEYRING|DB_URL|TOKEN_PATH)(_|$)", re.I
)


def bare_environment(**more: str) -> dict[str, str]:
    """Of a child that opens what came from outside: what Python, a locale and a folder for temporary files need, and `more`; no
    token, key, address or proxy of whoever started the studio."""
    return {name: value for name, value in os.environ.items() if _is_bare(name)} | more


def computing_environment(network: bool = False) -> dict[str, str]:
    """Of a child that computes: the bare one, what devices and libraries read, and the studio's own settings; how to reach the
    network where it has to. No variable that is named like a secret, unless SLMOPS_EXTRA_VARIABLES names it."""
    more = {name.strip() for name in os.environ.get(EXTRA, "").split(",")}
    return {
        name: value
        for name, value in os.environ.items()
        if name in more or _is_bare(name) or (name in _NETWORK and network) or _is_for_computing(name)
    }


def _is_bare(name: str) -> bool:
    return (name in _BARE or name.startswith(_BARE_BEGINNINGS)) and not _SECRET.search(name)


def _is_for_computing(name: str) -> bool:
    return name.startswith(_DEVICES + _THREADS + _LIBRARIES) and name not in _NETWORK and not _SECRET.search(name)
