"""A step as a part of the step of all ranks, looked at as a graph: no MPI is needed."""

import numpy as np
import pytest

import pynn as keras
from pynn import config, distribute, layers, ops
from pynn.distribute.combining import combine
from pynn.errors import ArgumentError
from pynn.executor.native import optimize
from pynn.graph.ir import Graph, Spec
from pynn.graph.trace import Trace
from pynn.graph.variable import Variable
from pynn.ops.collective import BucketFinish, BucketStart, RankMean, RankSeed, RankSum, Replica
from pynn.ops.conv import Conv2dGradKernel


def step_of(model, rows=8, share=0.5, bucket_bytes=1000, synchronizes=True) -> Graph:
    shape = (rows, *model.inputs[0].shape[1:])
    with Trace() as trace:
        trace.replica = Replica(1, 2, share, synchronizes)
        x, y = trace.input("x", Spec(shape)), trace.input("y", Spec((rows,), "int32"))
        logs = model.train_step((x, y))
        graph = trace.finish([v for v in logs.values() if hasattr(v, "spec")])
    return combine(graph, trace, [v for m in model.metrics for v in m.variables], False, bucket_bytes)


def network(*inner, metrics=("accuracy",)):
    model = keras.Sequential([keras.Input((8, 8, 1)), *inner, layers.Flatten(), layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=list(metrics))
    return model


def places(graph, kind):
    return [i for i, node in enumerate(graph.nodes) if isinstance(node.op, kind)]


def test_gradients_leave_as_soon_as_they_are_there_and_are_waited_for_last():
    model = network(layers.Conv2D(8, 3), layers.Conv2D(8, 3), layers.Conv2D(8, 3))
    graph = optimize(step_of(model, bucket_bytes=300))
    starts, finishes = places(graph, BucketStart), places(graph, BucketFinish)
    assert len(starts) == len(finishes) > 2
    gradients = places(graph, Conv2dGradKernel)
    assert starts[0] < gradients[0] < starts[-1]  # the last layer's travel before the first layer's are computed
    assert gradients[-1] < finishes[0]
    assert [graph.nodes[i].op.number for i in starts] == list(range(len(starts)))


def test_all_that_is_combined_at_the_end_travels_in_one_bucket_if_it_is_small():
    graph = step_of(network(layers.Conv2D(2, 3)), bucket_bytes=10**6)
    assert len(places(graph, BucketStart)) == 1
    assert not places(graph, RankMean | RankSum)


def test_synchronized_statistics_go_ahead_of_what_needs_them():
    model = network(layers.Conv2D(2, 3), layers.BatchNormalization())
    graph = optimize(step_of(model, bucket_bytes=10**6))
    numbers = [graph.nodes[i].op.index for i in places(graph, RankMean)]
    assert numbers == sorted(numbers)
    assert len(numbers) == 4  # mean and variance, forwards and backwards


def test_every_rank_draws_its_own_numbers_from_equal_seeds():
    graph = step_of(network(layers.Dropout(0.5)))
    (seed,) = places(graph, RankSeed)
    assert graph.nodes[seed].op == RankSeed(1)


def test_a_rank_without_rows_adds_nothing():
    graph = step_of(network(layers.Conv2D(2, 3)), rows=1, share=0.0)
    for i in places(graph, BucketStart):
        assert set(graph.nodes[i].op.weights) == {0.0}


def test_the_weights_of_gradients_are_the_share_of_the_rows():
    graph = step_of(network(), share=0.25, bucket_bytes=10**6)
    (start,) = places(graph, BucketStart)
    assert set(graph.nodes[start].op.weights) == {0.25, 1.0}  # 1: what metrics count is added up


def test_a_metric_that_is_no_sum_is_refused():
    class Highest(keras.metrics.Metric):
        def __init__(self):
            super().__init__(name="highest")
            self.value = self.add_weight(name="value")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.value.assign(ops.maximum(self.value, ops.max(y_pred)))

        def result(self):
            return self.value * 1.0

    with pytest.raises(ArgumentError, match=r"metric variable 'highest/value'.*added to it.*Let it count sums"):
        step_of(network(metrics=[Highest()]))


def test_whole_numbers_that_depend_on_the_rows_are_refused():
    class Counting(layers.Layer):
        def build(self, shape):
            self.seen = Variable(np.zeros((), "int32"), trainable=False, name="seen")
            self.built = True

        def call(self, x):
            self.seen.assign(self.seen + ops.cast(ops.sum(ops.greater(x, 0.0)), "int32"))
            return x

    with pytest.raises(ArgumentError, match=r"seen.*depends on the rows.*float32"):
        step_of(network(Counting()))


def test_state_that_depends_on_the_rows_is_averaged():
    model = network(layers.BatchNormalization())
    graph = step_of(model, bucket_bytes=10**6, synchronizes=False)
    (start,) = places(graph, BucketStart)
    shapes = [v.shape for v in graph.nodes[start].inputs]
    assert shapes.count((1,)) == 4  # gradients of gamma and beta, moving mean and variance


def test_wrong_arguments_name_what_is_expected(monkeypatch):
    pytest.importorskip("mpi4py", reason="mpi4py is not installed: pip install '.[mpi]'")
    with pytest.raises(ArgumentError, match="batch_norm must be 'synchronized' or 'local', received 'global'"):
        distribute.DataParallel(batch_norm="global")
    with pytest.raises(ArgumentError, match="timeout must be a number above 0, received 0"):
        distribute.DataParallel(timeout=0)
    with pytest.raises(ArgumentError, match=r"distribute must be a pynn.distribute.DataParallel"):
        network().compile("sgd", "mse", distribute="mpi")
    monkeypatch.setenv("PYNN_DISTRIBUTE", "horovod")
    with pytest.raises(ArgumentError, match="PYNN_DISTRIBUTE: expected 'mpi' or nothing, received 'horovod'"):
        config.distribute()


def test_nothing_is_distributed_unless_somebody_asks(monkeypatch):
    monkeypatch.delenv("PYNN_DISTRIBUTE", raising=False)
    assert (distribute.rank(), distribute.size()) == (0, 1)
    distribute.barrier()
    assert network()._distribution is None
