"""Age, gender, ethnicity and emotion: small networks with the inputs and outputs of DeepFace's graphs."""
