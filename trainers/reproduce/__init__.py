"""The paper's tables and figures, and what goes beyond them: `fleet-sim reproduce`.

An experiment names the steps that it needs (a training, a fit, an evaluation). Steps form a graph; each
leaves a record in a store under the hash of all it depends on, so what is there is used again.
"""
