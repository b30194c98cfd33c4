"""facekit's training half: dataset, train, evaluate, export and publish, one folder a model."""
