"""python3 storyteller.py COMMAND: everything from the corpus to storyteller.gguf. See README.md."""

import argparse


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    prepare = commands.add_parser("prepare", help="clean the corpus, hold works out, train the tokenizer, pack the ids")
    prepare.add_argument("--source", required=True, help="a .txt or .xz file or a folder of them; lines <|endoftext|> divide documents")
    prepare.add_argument("--valid", required=True, help="validation text of the same form")
    prepare.add_argument("--data", required=True, help="folder to write to")
    prepare.add_argument("--vocabulary", type=int, default=4096)
    prepare.add_argument("--model", help="a .gguf whose tokenizer to take instead of training one, to go on from it")

    train = commands.add_parser("train", help="train, or go on training")
    train.add_argument("--data", required=True)
    train.add_argument("--run", required=True, help="folder of the checkpoints; a file `decay` in it holds minutes until the rate is to be zero")
    train.add_argument("--start", help="a checkpoint or a .gguf to start from if the run has no checkpoint yet")
    train.add_argument("--restart-rate", action="store_true", help="go on from a finished run at the full rate")
    train.add_argument("--minutes", type=float, required=True)
    train.add_argument("--decay-minutes", type=float, required=True, help="the last minutes, in which the rate falls to zero")
    train.add_argument("--processes", type=int, default=2, help="on a processor: one for each core")
    train.add_argument("--layers", type=int, default=6)
    train.add_argument("--feed-forward", type=int, default=640)
    train.add_argument("--batch", type=int, default=4096, help="tokens a step")
    train.add_argument("--piece", type=int, default=512, help="tokens a pass: a batch is shared out in such pieces")
    train.add_argument("--window", type=int, default=256, help="tokens a window until the rate has fallen below --long-below; then 512")
    train.add_argument("--long-below", type=float, default=.35)
    train.add_argument("--seed", type=int, default=1)
    train.add_argument("--save-minutes", type=float, default=3)
    train.add_argument("--value-minutes", type=float, default=5)
    train.add_argument("--show-minutes", type=float, default=1)
    train.add_argument("--cpu", action="store_true", help="even if there is a GPU")
    train.add_argument("--plain", action="store_true", help="float32 and PyTorch alone: the reference, slow")

    export = commands.add_parser("export", help="write a checkpoint as GGUF")
    export.add_argument("--checkpoint", required=True, help="best.pt of a run")
    export.add_argument("--tokenizer", required=True, help="tokenizer.json of the data folder")
    export.add_argument("--q8", help="file to write in Q8_0")
    export.add_argument("--f32", help="its float32 twin")

    golden = commands.add_parser("golden", help="logits and greedy ids in float64")
    golden.add_argument("--model", required=True)
    golden.add_argument("--target", required=True)

    evaluate = commands.add_parser("evaluate", help="bits per byte of a GGUF on texts")
    evaluate.add_argument("--model", required=True)
    evaluate.add_argument("--positions", action="store_true", help="also the loss by position in the window")
    evaluate.add_argument("--every", type=int, default=1, help="score only each such window, to compare two files quickly")
    evaluate.add_argument("texts", nargs="+")

    for name, words in (("samples", "texts of the first seeds as Markdown"), ("memorised", "longest runs of words shared with the training text")):
        command = commands.add_parser(name, help=words)
        command.add_argument("--model", required=True)
        command.add_argument("--prompts", required=True)
        command.add_argument("--tokens", type=int, default=200 if name == "memorised" else 80)
        command.add_argument("--temperatures", type=float, nargs="+", default=[.3, .8, 1.5])
        if name == "memorised":
            command.add_argument("--training", required=True, help="training.txt of the data folder")
        else:
            command.add_argument("--seeds", type=int, default=10)

    options = parser.parse_args()
    if options.command == "prepare":
        from corpus import prepare as run
        run(options.source, options.valid, options.data, options.vocabulary, options.model)
    elif options.command == "train":
        from train import train as run
        run(options)
    else:
        import deliver
        if options.command == "export":
            for target, quantised in ((options.q8, True), (options.f32, False)):
                if target:
                    deliver.export(options.checkpoint, options.tokenizer, target, quantised)
        elif options.command == "golden":
            deliver.golden(options.model, options.target)
        elif options.command == "evaluate":
            deliver.evaluate(options.model, options.texts, options.positions, options.every)
        elif options.command == "samples":
            deliver.samples(options.model, options.prompts, options.tokens, options.temperatures, options.seeds)
        else:
            deliver.memorised(options.model, options.prompts, options.training, options.tokens, options.temperatures)


if __name__ == "__main__":
    main()
