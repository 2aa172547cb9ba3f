"""Web application that recognizes digits: draw one, or send a plain PGM image (P2) of 8×8 pixels."""

import json
import os
import sys
import urllib.error
import urllib.request

from flask import Flask, Response, jsonify, request

GATEWAY = os.environ.get("PARTITURA_GATEWAY", "http://127.0.0.1:8080")
SIZE, WHITE = 8, 16
PAGE = """<!doctype html><title>Digits</title>
<h1>Draw a digit</h1>
<canvas id="c" width="8" height="8" style="width:256px;border:1px solid;image-rendering:pixelated;touch-action:none"></canvas>
<p><button onclick="clear_()">Clear</button> <output id="o"></output></p>
<form action="/digit" method="post" enctype="multipart/form-data">
  <label>Or upload a PGM image: <input type="file" name="image"></label> <button>Send</button></form>
<script>
const pixels = Array(64).fill(0), context = c.getContext("2d");
const paint = () => pixels.forEach((p, i) => {
  context.fillStyle = `rgb(${Array(3).fill(255 - p * 255 / 16)})`; context.fillRect(i % 8, i >> 3, 1, 1); });
const clear_ = () => { pixels.fill(0); paint(); o.value = ""; };
c.onpointermove = (e) => { if (!e.buttons) return;
  const x = Math.floor(e.offsetX / 32), y = Math.floor(e.offsetY / 32);
  if (x < 8 && y < 8) pixels[y * 8 + x] = 16;
  paint(); };
c.onpointerup = async () => {
  const reply = await fetch("/digit", { method: "POST", headers: { "content-type": "application/json" },
    body: JSON.stringify({ pixels }) });
  const { digit, probability, error } = await reply.json();
  o.value = error ?? `${digit} (${(probability * 100).toFixed(1)} %)`; };
clear_();
</script>"""

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 64 * 1024


@app.get("/")
def page():
    return Response(PAGE, mimetype="text/html")


@app.post("/digit")
def digit():
    try:
        image = request.files.get("image")
        pixels = pixels_of(image.read().decode("ascii")) if image else dict(request.get_json()).get("pixels")
    except (TypeError, ValueError) as error:
        return jsonify(error=f"expected 'pixels', or a plain PGM image of {SIZE}x{SIZE} pixels: {error}"), 400
    status, answer = predict("digits", [pixels])
    if status != 200:
        return jsonify(answer), status
    probabilities = answer["predictions"][0]
    best = max(range(len(probabilities)), key=probabilities.__getitem__)
    return jsonify(digit=best, probability=probabilities[best])


def predict(model, instances):
    """Asks the gateway; its answer to a wrong request is one sentence in `error`."""
    body = json.dumps({"instances": instances}).encode()
    try:
        with urllib.request.urlopen(f"{GATEWAY}/v1/models/{model}:predict", body, timeout=10) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def pixels_of(text):
    kind, width, height, white, *levels = text.split()
    if (kind, int(width), int(height)) != ("P2", SIZE, SIZE) or len(levels) != SIZE * SIZE:
        raise ValueError(f"{kind} of {width}x{height}")
    return [WHITE - int(level) * WHITE / int(white) for level in levels]


if __name__ == "__main__":
    app.run(port=int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
