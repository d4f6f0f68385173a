"""Answer one prompt: python run.py "your text". Needs only: pip install -r requirements.txt"""

import json
import sys
from pathlib import Path

import onnxruntime_genai as og

MAX_NEW_TOKENS = 256

folder = Path(__file__).parent / "model"
prompt = json.loads((folder / "inference_model.json").read_text("utf-8"))["PromptTemplate"]["prompt"]
model = og.Model(str(folder))
tokenizer = og.Tokenizer(model)
ids = tokenizer.encode(prompt.replace("{Content}", " ".join(sys.argv[1:]) or sys.stdin.read().strip()))
params = og.GeneratorParams(model)
params.set_search_options(max_length=len(ids) + MAX_NEW_TOKENS)
generator = og.Generator(model, params)
generator.append_tokens(ids)
while not generator.is_done():
    generator.generate_next_token()
answer = tokenizer.decode(generator.get_sequence(0)[len(ids) :])
sys.stdout.buffer.write(answer.encode() + b"\n")
