"""What the hub says of its repositories, as the studio keeps it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

RepoType = Literal["model", "dataset"]


class HubFile(BaseModel):
    """A file of a repository: its name, bytes, and SHA-256 where the hub keeps it as a large file."""

    name: str
    bytes: int
    sha256: str | None = None


class HubEntry(BaseModel):
    """What a search shows of one repository. `bytes`: of its weights, by their types; 0: not known."""

    repo: str
    license: str | None = None
    parameters: int = 0
    bytes: int = 0
    gated: bool = False
    downloads: int = 0
    languages: list[str] = []


class DataPart(BaseModel):
    """Files of a dataset that belong together. `config`: "" where the repository has one only; `split`: as its owner calls
    it, "" where nothing tells."""

    config: str
    split: str
    files: list[str]
    bytes: int


class GgufChoice(BaseModel):
    """A model in a GGUF file: its name, or that of the first part, with all parts. `quantization`: as the name says, "" where
    it doesn't."""

    name: str
    quantization: str = ""
    files: list[HubFile]
    bytes: int


class HubDetails(HubEntry):
    """One repository at one commit, before anything of it is fetched. `bytes`: of the files that a download fetches; `parts`:
    of a dataset; `gguf`: of a model, what may be fetched in place of `files`."""

    commit: str
    files: list[HubFile]
    url: str
    parts: list[DataPart] = []
    gguf: list[GgufChoice] = []
