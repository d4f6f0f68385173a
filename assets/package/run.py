"""Answer one prompt: python run.py "your text". Needs only: pip install -r requirements.txt

python run.py --labels "your text" answers with one of the model's labels and nothing else.
"""

import json
import sys
from pathlib import Path

import onnxruntime_genai as og

MAX_NEW_TOKENS = 256

folder = Path(__file__).parent / "model"
prompt = json.loads((folder / "inference_model.json").read_text("utf-8"))["PromptTemplate"]["prompt"]
model = og.Model(str(folder))
tokenizer = og.Tokenizer(model)
words = sys.argv[1:]
params = og.GeneratorParams(model)
if words[:1] == ["--labels"]:
    labels = json.loads((folder / "template.json").read_text("utf-8"))["labels"]
    params.set_guidance("lark_grammar", "start: " + " | ".join(json.dumps(label) for label in labels))
    words = words[1:]
ids = tokenizer.encode(prompt.replace("{Content}", " ".join(words) or sys.stdin.read().strip()))
params.set_search_options(max_length=len(ids) + MAX_NEW_TOKENS)
generator = og.Generator(model, params)
generator.append_tokens(ids)
while not generator.is_done():
    generator.generate_next_token()
answer = tokenizer.decode(generator.get_sequence(0)[len(ids) :])
sys.stdout.buffer.write(answer.encode() + b"\n")
