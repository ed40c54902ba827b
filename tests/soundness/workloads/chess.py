import io

import chess
import chess.pgn


def perft(board, depth):
    if depth == 0:
        return 1
    count = 0
    for move in list(board.legal_moves):
        board.push(move)
        count += perft(board, depth - 1)
        board.pop()
    return count


def run(case):
    board = chess.Board()
    for san in ("e4", "e5", "Nf3", "Nc6", "Bb5", "a6", "O-O", "Nf6"):
        board.push_san(san)
    game = chess.pgn.read_game(io.StringIO("1. e4 e5 2. Qh5 Nc6 3. Bc4 Nf6 4. Qxf7#"))
    mate = game.end().board().is_checkmate()
    return repr([board.fen(), perft(board, 1 + case % 2), mate, str(game)])
